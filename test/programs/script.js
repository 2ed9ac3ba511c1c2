// SPDX-License-Identifier: BSD-2-Clause
// Role: node at work: maps, JSON, buffers, compression, promises, and workers with heaps of their own.
'use strict';
const zlib = require('zlib');
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');

function* numbers(seed, count) {
    for (let state = seed; count > 0; count--)
        yield (state = (state * 1103515245 + 12345) % 2147483648);
}

function work(seed) {
    const map = new Map();
    for (const n of numbers(seed, 20000)) {
        const key = n.toString(36).slice(0, 4);
        map.set(key, (map.get(key) || []).concat(n));
    }
    const text = JSON.stringify([...map].sort());
    const packed = zlib.deflateSync(Buffer.from(text));
    const back = zlib.inflateSync(packed).toString();
    return [map.size, text.length, back === text, packed.length];
}

if (isMainThread) {
    const inWorker = (seed) => new Promise((resolve, reject) => {
        const worker = new Worker(__filename, { workerData: seed });
        worker.on('message', resolve);
        worker.on('error', reject);
    });
    console.log(work(1));
    Promise.all([2, 3, 4].map(inWorker)).then((results) => {
        console.log(results);
        const chunks = [];
        for (const n of numbers(5, 2000)) chunks.push(Buffer.alloc(n % 5000, n % 256));
        console.log(zlib.gzipSync(Buffer.concat(chunks)).length > 0, Buffer.concat(chunks).length);
    });
} else {
    parentPort.postMessage(work(workerData));
}
