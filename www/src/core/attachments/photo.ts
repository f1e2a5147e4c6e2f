/** Photos made small at once: what is kept shows enough to read a receipt, and nothing beside it. */

/** The longer side of what is kept, pixels: a page of A4 stays readable. */
const LONGEST = 1920;
/** The same of what lists show. */
const LONGEST_THUMB = 240;

export interface Small {
  bytes: Uint8Array;
  thumb: Uint8Array;
}

/**
 * Draws a photo anew, upright and smaller. Nothing that the camera wrote beside the picture goes
 * along: no position, no name of a device, no earlier version of it.
 */
export async function small(photo: Blob): Promise<Small> {
  const picture = await createImageBitmap(photo, { imageOrientation: "from-image" });
  try {
    const kept = await draw(picture, LONGEST, 0.82);
    const thumb = await draw(picture, LONGEST_THUMB, 0.7);
    return { bytes: await bytesOf(kept), thumb: await bytesOf(thumb) };
  } finally {
    // One at a time: a picture of the camera takes some 50 MB while it is open.
    picture.close();
  }
}

function draw(picture: ImageBitmap, longest: number, quality: number): Promise<Blob> {
  const scale = Math.min(1, longest / Math.max(picture.width, picture.height));
  const canvas = new OffscreenCanvas(
    Math.max(1, Math.round(picture.width * scale)),
    Math.max(1, Math.round(picture.height * scale)),
  );
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");
  // Transparent parts would turn black.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/jpeg", quality });
}

export async function bytesOf(blob: Blob): Promise<Uint8Array> {
  return new Uint8Array(await blob.arrayBuffer());
}
