// Trains the small model in a process of its own and prints the SHA-256 of its state.
import { hashState } from '@skipring/trainer';
import { loadTensorFlow } from '../tensorflow.js';
import { exponentsOf, smallEngine, train } from './small-engine.js';

const [threads, numSteps] = process.argv.slice(2).map(Number);
await loadTensorFlow({ threads: threads ?? 1, device: 'cpu' });
const engine = smallEngine();
train(engine, numSteps ?? 0);
const position = { step: 0, epoch: 0, cursor: 0 };
process.stdout.write(hashState(position, exponentsOf(engine, 20), engine.readState()));
