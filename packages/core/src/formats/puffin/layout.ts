/** `PFA1`, at the start, before and after the footer (Puffin spec: "File structure"). */
export const MAGIC = 0x50464131;
export const MAGIC_BYTES = 4;
/** Of the footer's payload; little-endian, as the flags are. */
export const SIZE_BYTES = 4;
export const FLAGS_BYTES = 4;
/** The flag that says that the footer's payload is compressed. */
export const FOOTER_COMPRESSED = 1;
