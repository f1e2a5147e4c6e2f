/** Reduces photos before they are stored; a receipt stays readable. */

/** Longer side of a stored photo, pixels: an A4 page stays readable. */
const MAX_SIDE = 1920;
const MAX_THUMB_SIDE = 240;

interface ReducedPhoto {
  bytes: Uint8Array;
  thumb: Uint8Array;
}

/**
 * Redraws a photo upright and smaller. This drops all metadata of the camera: position, device
 * name, embedded earlier versions.
 */
export async function reducePhoto(photo: Blob): Promise<ReducedPhoto> {
  const picture = await createImageBitmap(photo, { imageOrientation: "from-image" });
  try {
    const reduced = await draw(picture, MAX_SIDE, 0.82);
    const thumb = await draw(picture, MAX_THUMB_SIDE, 0.7);
    return { bytes: await bytesOf(reduced), thumb: await bytesOf(thumb) };
  } finally {
    // Free it at once: a decoded camera picture takes some 50 MB.
    picture.close();
  }
}

function draw(picture: ImageBitmap, maxSide: number, quality: number): Promise<Blob> {
  const scale = Math.min(1, maxSide / Math.max(picture.width, picture.height));
  const canvas = new OffscreenCanvas(
    Math.max(1, Math.round(picture.width * scale)),
    Math.max(1, Math.round(picture.height * scale)),
  );
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");
  // JPEG has no transparency: unpainted parts would become black.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/jpeg", quality });
}

export async function bytesOf(blob: Blob): Promise<Uint8Array> {
  return new Uint8Array(await blob.arrayBuffer());
}
