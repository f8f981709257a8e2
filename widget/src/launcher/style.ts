export const css = `
:host{--a:var(--aftercare-accent,#005eb8);--t:var(--aftercare-accent-text,#fff);--r:var(--aftercare-radius,12px);--b:var(--aftercare-bottom,16px);--s:var(--aftercare-side,16px)}
:host(:not([data-mode=inline])){all:initial!important}
:host([data-mode=inline]){display:block!important;position:relative!important;min-height:360px!important}
.all{all:initial;display:block;font:18px/1.5 var(--aftercare-font,system-ui,sans-serif);color-scheme:light dark}
:host([hidden]),[hidden]{display:none!important}
*{box-sizing:border-box}
button,.open,.call{font:inherit;font-weight:600;min-height:44px;min-width:44px;padding:10px 16px;border:2px solid transparent;border-radius:var(--r);cursor:pointer}
.open{position:fixed;inset-block-end:var(--b);inset-inline-end:var(--s);z-index:var(--aftercare-z,2147483000);min-height:56px;max-width:calc(100vw - 2*var(--s));padding:12px 22px;background:var(--a);color:var(--t);border-color:var(--t);box-shadow:0 2px 12px #0006}
.left .open,.left .frame{inset-inline:var(--s) auto}
.open:hover{text-decoration:underline}
.badge{display:inline-block;margin-inline-start:10px;padding:0 10px;border-radius:99px;background:#fff;color:#9a1007;border:2px solid #9a1007;font-size:16px}
.frame{position:fixed;inset-block-end:calc(var(--b) + 68px);inset-inline-end:var(--s);z-index:calc(var(--aftercare-z,2147483000) + 1);width:min(400px,calc(100vw - 2*var(--s)));height:min(640px,calc(100vh - var(--b) - 84px));background:Canvas;color:CanvasText;border:2px solid #4c6272;border-radius:var(--r);overflow:hidden;box-shadow:0 6px 32px #0007}
iframe{display:block;width:100%;height:100%;border:0}
.card{height:100%;overflow:auto;padding:20px}
.card>*{margin:0 0 12px}
h2{font-size:24px;line-height:1.25}
.card a{color:LinkText;font-weight:700;display:inline-block;min-width:44px;padding:12px 3px;margin:-12px -3px;text-align:center;white-space:nowrap}
.card .call{margin:0 0 12px;display:block;padding:14px 16px;text-align:center;text-decoration:none;white-space:normal;background:#fff;color:#003f7d;border-color:#003f7d;font-size:20px}
.card .call.emergency{background:#9a1007;color:#fff;border-color:#fff;outline:2px solid #9a1007}
.card .row{display:flex;flex-wrap:wrap;gap:12px;position:sticky;bottom:-20px;margin:0 -20px -20px;padding:12px 20px;background:Canvas;border-top:1px solid #8496a0}
.row button{flex:1;background:Canvas;color:CanvasText;border-color:CanvasText}
:focus-visible,.card .call:focus-visible{outline:3px solid #111;outline-offset:2px;box-shadow:0 0 0 8px #ffdd00}
.card:focus{outline-offset:-3px;box-shadow:none}
@media (max-width:600px),(max-height:500px){.frame,.left .frame{inset:0;width:100%;height:100vh;height:100dvh;border:0;border-radius:0}.open[aria-expanded=true]{visibility:hidden}}
.inline .frame{position:absolute;inset:0;width:100%;height:100%;z-index:auto;border:0;border-radius:0;box-shadow:none}
@media (prefers-reduced-motion:no-preference){.open{transition:box-shadow .15s}}
@media (forced-colors:active){.open,.frame,.badge,.card .call,.row button{border-color:ButtonText}:focus-visible{outline-color:Highlight}}
@media print{:host{display:none!important}}
`;
