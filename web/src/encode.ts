/**
 * A canvas as a JPEG file, at once. `toBlob` waits until the browser is idle, which a page with a running camera hardly is: on a slow
 * device that takes seconds, while the encoding itself takes milliseconds.
 */
export function encodeNow(canvas: HTMLCanvasElement, quality: number): Blob | null {
  const [head, base64] = canvas.toDataURL('image/jpeg', quality).split(',');
  if (!base64 || !head!.startsWith('data:image/jpeg')) return null;
  return new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], { type: 'image/jpeg' });
}
