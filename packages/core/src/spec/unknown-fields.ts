/** JSON fields that this version doesn't know, kept so that a rewrite of the metadata carries them over. */
export type UnknownFields = Readonly<Record<string, unknown>>;
