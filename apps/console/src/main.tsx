import { render } from 'preact';
import { z } from 'zod';
import { App } from './app.js';
import { applyTheme } from './theme.js';
import 'uplot/dist/uPlot.min.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/tables.css';
import './styles/forms.css';
import './styles/charts.css';
import './styles/pages.css';

// Zod would try to compile its checks, which the content security policy forbids.
z.config({ jitless: true });
applyTheme();
const root = document.getElementById('app');
if (root !== null) render(<App />, root);
