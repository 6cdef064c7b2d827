import type { AudioFormat, VideoFormat } from "@aws-sdk/client-bedrock-runtime";
import { hasBytesAt } from "../disk/recognise-bytes.ts";
import type { FileKind } from "../models/families.ts";

/** A container holds what it is named for within so many bytes of its beginning, or of its end. */
const LOOKED_AT = 1024 * 1024;

/**
 * Decides whether a file is a video or a recording, by the signatures of the formats' own specifications; containers that
 * hold either by what is in them, else by the extension of their name. A text is the reason why Converse takes a file of
 * that kind in no form. Undefined for what is neither.
 */
export function detectMedia(file: Buffer, extension: string): FileKind | string | undefined {
  if (hasBytesAt(file, "RIFF") || hasBytesAt(file, "RF64")) return kindOfRiff(file);
  if (hasBytesAt(file, "ftyp", 4)) return kindOfMp4(file, extension);
  // QuickTime from before it had brands: an atom's length, and its name.
  if (file[0] === 0 && /^(moov|mdat|wide)$/.test(file.toString("latin1", 4, 8))) return video("mov");
  if (hasBytesAt(file, "\x1a\x45\xdf\xa3")) return kindOfMatroska(file, extension);
  if (hasBytesAt(file, "OggS\0")) return kindOfOgg(file, extension);
  if (hasBytesAt(file, "\x30\x26\xb2\x75\x8e\x66\xcf\x11")) return kindOfAsf(file);
  if (hasBytesAt(file, "FLV\x01")) return video("flv");
  // A pack header, or a sequence header of a stream by itself (ISO 13818-1 and -2).
  if (hasBytesAt(file, "\0\0\x01\xba") || hasBytesAt(file, "\0\0\x01\xb3"))
    return video(extension === "mpg" ? "mpg" : "mpeg");
  if (hasBytesAt(file, "fLaC") && ((file[4] ?? 0) & 0x7f) === 0) return audio("flac");
  if (isId3(file)) return kindBehindId3(file);
  if (hasBytesAt(file, "ADIF")) return audio("aac");
  return kindOfFrame(file, 0) ?? (isTransportStream(file) ? "it is an MPEG transport stream" : undefined);
}

function video(format: VideoFormat): FileKind {
  return { kind: "video", format };
}

function audio(format: AudioFormat): FileKind {
  return { kind: "audio", format };
}

function kindOfRiff(file: Buffer): FileKind | string | undefined {
  if (hasBytesAt(file, "WAVE", 8)) return audio("wav");
  return hasBytesAt(file, "AVI ", 8) ? "it is an AVI video" : undefined;
}

/** The ISO base media formats, by their brand (ISO 14496-12; https://mp4ra.org/registered-types/brands). */
function kindOfMp4(file: Buffer, extension: string): FileKind | undefined {
  const brand = file.toString("latin1", 8, 12);
  if (/^(avi[fs]|hei[cmsx]|hev[cmx]|mif1|msf1)$/.test(brand)) return undefined;
  if (/^M4[ABP] $/.test(brand)) return audio("m4a");
  // The handler of a track says what it holds.
  const hasTrack = (handler: string): boolean => findNear(file, new RegExp(`hdlr[^]{8}${handler}`));
  const isSound = hasTrack("soun") ? !hasTrack("vide") : /^m4[abp]$/.test(extension);
  if (isSound) return audio("m4a");
  if (brand === "qt  ") return video("mov");
  return video(brand.startsWith("3g") ? "three_gp" : "mp4");
}

/** Matroska and WebM, which say what they are in their header and name the codec of each track (RFC 9559). */
function kindOfMatroska(file: Buffer, extension: string): FileKind {
  const isWebm = file.subarray(0, 64).includes("webm");
  const hasTrack = (letter: string): boolean =>
    findNear(file, new RegExp(`\\x86[\\x80-\\xa0]${letter}_[A-Z]`));
  const isSound = hasTrack("A") ? !hasTrack("V") : /^(mka|weba)$/.test(extension);
  if (isSound) return audio(isWebm ? "webm" : "mka");
  return video(isWebm ? "webm" : "mkv");
}

/** Ogg, by the codec that the first packet names (RFC 3533). */
function kindOfOgg(file: Buffer, extension: string): FileKind | string {
  const first = file.subarray(0, 512);
  if (first.includes("theora")) return "it is an Ogg video";
  return audio(extension === "opus" && first.includes("OpusHead") ? "opus" : "ogg");
}

/** Windows Media, whose streams have an id by what is in them ([ASF], 10.3). */
function kindOfAsf(file: Buffer): FileKind | string {
  const hasVideo = findNear(file, /\xc0\xef\x19\xbc\x4d\x5b\xcf\x11/);
  const hasSound = findNear(file, /\x40\x9e\x69\xf8\x4d\x5b\xcf\x11/);
  return hasSound && !hasVideo ? "it is a WMA recording" : video("wmv");
}

/** A tag before the sound, with its version behind its name, which is no character (https://id3.org/id3v2.4.0-structure). */
function isId3(file: Buffer): boolean {
  return hasBytesAt(file, "ID3") && file.length > 3 && (file[3] ?? 0) < 9;
}

function kindBehindId3(file: Buffer): FileKind {
  const [a = 0, b = 0, c = 0, d = 0] = file.subarray(6, 10);
  const end = 10 + ((a << 21) | (b << 14) | (c << 7) | d);
  if (hasBytesAt(file, "fLaC", end)) return audio("flac");
  return kindOfFrame(file, end) ?? audio("mp3");
}

/** MPEG sound without a container: each frame begins with eleven bits that are set (ISO 11172-3; ADTS of ISO 13818-7). */
function kindOfFrame(file: Buffer, at: number): FileKind | undefined {
  const [first = 0, second = 0, third = 0] = file.subarray(at, at + 3);
  if (first !== 0xff || (second & 0xe0) !== 0xe0) return undefined;
  if ((second & 0xf6) === 0xf0) return audio("aac");
  const isValid = (second & 0x18) !== 0x08 && (third & 0xf0) !== 0xf0 && (third & 0x0c) !== 0x0c;
  if (!isValid) return undefined;
  return (second & 0x06) === 0x02 ? audio("mp3") : (second & 0x06) === 0x04 ? audio("mpga") : undefined;
}

/** Packets of 188 bytes, each of which begins with a G (ISO 13818-1). A text has no zero bytes. */
function isTransportStream(file: Buffer): boolean {
  const isPacket = (nth: number): boolean => file[nth * 188] === 0x47;
  return isPacket(0) && isPacket(1) && isPacket(2) && file.includes(0);
}

/** Whether something stands near the beginning or the end of a file. */
function findNear(file: Buffer, pattern: RegExp): boolean {
  return nearEnds(file).some((part) => pattern.test(part.toString("latin1")));
}

/** The beginning and the end of a file, where containers have what describes them. */
export function nearEnds(file: Buffer): Buffer[] {
  if (file.length <= 2 * LOOKED_AT) return [file];
  return [file.subarray(0, LOOKED_AT), file.subarray(file.length - LOOKED_AT)];
}
