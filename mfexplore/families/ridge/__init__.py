r"""Ridge regression on random examples: what it learns follows from a spectrum alone.

A readout $w\in\mathbb R^N$ of features $\phi(x)$ is fitted to $P$ answers, $y_\mu=f(x_\mu)+$ noise:

$$\min_w\ \sum_{\mu=1}^P\big(y_\mu-w\cdot\phi(x_\mu)\big)^2+\nu\,|w|^2 \tag{1}$$

Let $\lambda_k$ be the eigenvalues of the covariance of the features, $\theta_k$ the variance of the answers that a
readout of the $k$-th direction explains, and $\sigma^2$ all the rest of it. When $P$ and the number of directions
that matter are large, the examples act through an *effective ridge* $\kappa$ and a number of *degrees of freedom*
$d$,

$$\nu=\kappa\,(P-d),\qquad d=\sum_k\frac{\lambda_k}{\lambda_k+\kappa} \tag{2}$$

and with them the mean squared errors on new examples and on those of the fit are

$$\varepsilon_g=\frac{\sigma^2+\kappa^2\sum_k\theta_k/(\lambda_k+\kappa)^2}
{1-\frac1P\sum_k\lambda_k^2/(\lambda_k+\kappa)^2},\qquad
\varepsilon_t=\Big(1-\frac dP\Big)^2\varepsilon_g \tag{3}$$

- `spectrum`: (2) and (3) at many points.
- `regression`: (1) itself.
- `arrivals`: simulations of a learner that is shown more and more examples.
"""
