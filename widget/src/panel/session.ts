const KEY = "aftercare.token";

/** The token of this tab. It outlives a reload unless the computer is shared or storage is closed to us. */
export class TokenStore {
  private token: string | null = null;
  private shared = false;

  read(): string | null {
    if (this.token || this.shared) return this.token;
    try {
      this.token = sessionStorage.getItem(KEY);
    } catch {
      this.token = null;
    }
    return this.token;
  }

  write(token: string | null): void {
    this.token = token;
    try {
      if (token && !this.shared) sessionStorage.setItem(KEY, token);
      else sessionStorage.removeItem(KEY);
    } catch {
      return;
    }
  }

  keepInMemory(shared: boolean): void {
    const token = this.read();
    this.shared = shared;
    this.write(token);
  }
}
