// What a person does on the page of a capture session, and sees there.
import { expect } from './test.js';

export class Person {
  constructor(page) {
    this.page = page;
  }

  button(name) {
    return this.page.getByRole('button', { name, exact: true });
  }

  async sees(heading) {
    await expect(this.page.getByRole('heading', { level: 2 })).toHaveText(heading);
  }

  async startsCamera() {
    await this.button('Start the camera').click();
    await this.sees('Look into the camera');
  }

  async isHinted(hint) {
    await expect(this.page.locator('[part=hint]')).toHaveText(hint);
  }

  /** The camera's picture is there; before that nobody presses the shutter. */
  async seesThemselves() {
    await expect.poll(() => this.page.locator('video').evaluate((video) => video.readyState), { intervals: [50] }).toBeGreaterThanOrEqual(2);
  }

  async releasesShutter() {
    await this.seesThemselves();
    await this.button('Take the photo').click();
    await this.sees('Is the photo good?');
  }

  /** Waits for the shutter to go off by itself; where it does not, the failure says what the person was told last. */
  async isPhotographed() {
    const seen = async () => {
      const heading = this.page.getByRole('heading', { level: 2 });
      const hint = this.page.locator('[part=hint]');
      return [...await heading.allTextContents(), ...await hint.allTextContents()].join(': ');
    };
    // On a busy machine each frame takes a second or two, and so does the photograph.
    await expect.poll(seen, { intervals: [100], timeout: 20_000 }).toBe('Is the photo good?');
  }

  async sends() {
    await this.button('Use this photo').click();
  }

  /** A file in place of the camera. */
  async uploads(file, button = 'Upload a photo instead') {
    const [chooser] = await Promise.all([this.page.waitForEvent('filechooser'), this.button(button).click()]);
    await chooser.setFiles(file);
  }

  /** Goes to a button by the keyboard alone, and presses it. */
  async presses(name, key = 'Enter') {
    for (let tabs = 0; tabs < 8; tabs++) {
      const focused = await this.focused();
      if (focused.text === name) {
        expect(focused.outlined, `the focus on “${name}” is visible`).toBe(true);
        return this.page.keyboard.press(key);
      }
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`the keyboard does not reach “${name}”`);
  }

  /** What has the focus, also inside of components. */
  focused() {
    return this.page.evaluate(() => {
      let element = document.activeElement;
      while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
      const style = getComputedStyle(element);
      return { text: element.textContent.trim(), outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 };
    });
  }
}

/** The statements of a receipt. The service's own tests check its signature. */
export function statements(receipt) {
  return JSON.parse(Buffer.from(receipt.split('.')[1], 'base64url').toString());
}
