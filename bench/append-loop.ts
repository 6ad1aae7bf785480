/**
 * What the tracker's lane is compared with: a script that appends one row a call, one call after the other.
 *
 * Usage: node bench/append-loop.ts COUNT API_URL SPREADSHEET TOKEN
 */
const [count, api, spreadsheet, token] = process.argv.slice(2);

console.log(JSON.stringify({ url: api }));
for (let n = 0; n < Number(count); n += 1) {
  const response = await fetch(
    `${api}/v4/spreadsheets/${spreadsheet}/values/${encodeURIComponent('Sheet1!A1')}:append?valueInputOption=RAW`,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ values: [[`int_${n}`, 'Checkout', 9]] }),
    },
  );
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}
