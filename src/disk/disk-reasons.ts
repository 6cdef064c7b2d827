/** Why a system writes nothing more, by its codes, in the words of a person. */
export const DISK_REASONS = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would be larger than this process may write",
  EROFS: "the file system is read-only",
  EIO: "the disk reports an error",
} as const;
