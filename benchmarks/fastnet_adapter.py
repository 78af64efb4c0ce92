"""fastnet itself behind the interface of the peers."""

import numpy as np

import fastnet as fn
from benchmarks.peers import Adapter


class Fastnet(Adapter):
    """Trains through ``fit``: whole epochs, shuffling and gathering included."""

    def reset(self):
        job = self.job
        self.unit = job.n_batches
        self.net = fn.Network(
            list(job.sizes), hidden=job.hidden, output=job.output, dtype=job.dtype, seed=0
        )
        self.net.parameters[:] = self.initial
        self.loss = "cross_entropy" if job.is_classification else "half_squared_error"
        self.buffer = np.empty(self.net.n_parameters, job.dtype)
        self.seed = 0

    def fit(self, x, y, epochs, **options):
        self.net.fit(
            x, y, loss=self.loss, optimizer=fn.Adam(learning_rate=self.job.learning_rate),
            epochs=epochs, batch_size=self.job.batch_size, **options,
        )  # fmt: skip

    def train_step(self, n):
        self.fit(self.x, self.y, max(1, n // self.job.n_batches), seed=0)

    def train_in_order(self, n):
        """n steps on the batches in order, as the peers do them."""
        size = self.job.rows_a_step * min(n, self.job.n_batches)
        epochs = max(1, n // self.job.n_batches)
        self.fit(self.x[:size], self.y[:size], epochs, shuffle=False)

    def train_epochs(self, orders):
        """As many epochs as there are orders; fastnet shuffles by itself."""
        self.fit(self.x, self.y, len(orders), seed=self.seed)

    def epochs_until(self, reached, orders):
        stopped = []

        def callback(net, epoch, logs):
            if reached(self):
                stopped.append(True)
            return bool(stopped)

        self.fit(self.x, self.y, len(orders), seed=self.seed, callbacks=[callback])
        return len(self.net.history.loss) if stopped else None

    def parameters(self):
        return np.array(self.net.parameters)

    def loss_and_gradient(self, n):
        value = None
        for _ in range(n):
            value, _ = self.net.loss_and_gradient(self.x, self.y, loss=self.loss, out=self.buffer)
        return value

    def gradient(self):
        return self.loss_and_gradient(1), np.array(self.buffer)

    def predict(self, x, n=1):
        """Into an array that is kept, as NumPy by hand does."""
        predict = self.net.predict
        out = np.empty((len(x), self.job.sizes[-1]), self.job.dtype)
        for _ in range(n):
            predict(x, out=out)
        return out

    def one_row(self, x, n=1):
        net, outputs = self.net, None
        for _ in range(n):
            outputs = net(x)
        return outputs

    def one_row_out(self, x, n=1):
        predict = self.net.predict
        out = np.empty(self.job.sizes[-1], self.job.dtype)
        for _ in range(n):
            predict(x, out=out)
        return out

    def one_row_in_c(self, x, n=1):
        self.net._seconds_per_row(x, n)
        return self.outputs(x[None])[0]

    def outputs(self, x):
        return self.predict(x)
