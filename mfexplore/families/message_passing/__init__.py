r"""Approximate message passing on a dense random matrix, and the scalar recursion that predicts it.

An unknown $x\in\mathbb R^N$ with independent prior components is observed through $z=Fx$,
$F_{\mu i}\sim\mathcal N(0,1/N)$, and an output $y_\mu$ that depends on $z_\mu$ alone; $\alpha=M/N$. *Generalised
approximate message passing* keeps one mean $a_i$ per component and iterates

$$\omega=Fa-Vg,\quad V=\overline v,\quad
g_\mu=\partial_\omega\ln\int\!dz\,\mathcal N(z;\omega_\mu,V)P(y_\mu|z) \tag{1}$$

$$r=a+S\,F^{\mathsf T}g,\qquad S^{-1}=\alpha\,\overline{-\partial_\omega g},\quad
a_i=\eta(r_i,S),\quad v_i=S\,\partial_r\eta \tag{2}$$

with two matrix-vector products per iteration and nothing else of order $MN$. As $N\to\infty$, $r_i$ is the true
$x_i$ plus Gaussian noise of variance $S=1/R$, and

$$R_{t+1}=\alpha\,I(R_t) \tag{3}$$

(*state evolution*) with a function $I$ that depends on prior and output, but not on $\alpha$. Its fixed points
therefore lie on the explicit curve $\alpha(R)=R/I(R)$: no iteration, and a fold is simply a turning point of the curve.

- `algorithm`: the iteration (1)-(2).
- `state_evolution`: the curves of (3), their fixed points, spinodals and thresholds.
- `priors`, `channels`: what the unknown and the output can be.
- `bayes_optimal`: (3) and its free entropy for a student who knows prior and channel.
"""
