namespace MLTransfer.Torch.Training.Preferences;

/// <summary>
/// Losses of a pair of a chosen and a rejected text. d is the log-ratio of the chosen text, which is its log-probability less that of the
/// reference model, minus the log-ratio of the rejected one; beta is <see cref="PreferenceTrainingOptions.Beta"/>, e is
/// <see cref="PreferenceTrainingOptions.LabelSmoothing"/> (<c>loss_type</c> of trl).
/// </summary>
public enum PreferenceLoss
{
    /// <summary>
    /// -(1 - e) ln sigmoid(beta d) - e ln sigmoid(-beta d): direct preference optimization (arXiv 2305.18290), with e above 0 its
    /// conservative form for pairs that are the wrong way round with that probability (<c>sigmoid</c>).
    /// </summary>
    Sigmoid,

    /// <summary>
    /// (d' - 1 / (2 beta))^2, where d' is d with each log-ratio divided by the tokens of its text: identity preference optimization (arXiv
    /// 2310.12036), which does not push margins without end (<c>ipo</c>).
    /// </summary>
    IdentityPreference,

    /// <summary>
    /// -ln sigmoid(beta d'), where d' is d with each log-ratio divided by the tokens of its text, so that long texts have no advantage
    /// (arXiv 2405.14734 and 2411.15124; <c>sigmoid_norm</c>).
    /// </summary>
    LengthNormalizedSigmoid,

    /// <summary>
    /// (-(1 - e) ln sigmoid(beta d) + e ln sigmoid(-beta d)) / (1 - 2 e): an unbiased estimate of the loss without wrong pairs (arXiv
    /// 2403.00409; <c>robust</c>).
    /// </summary>
    Robust,

    /// <summary>max(0, 1 - beta d): pairs that are apart far enough teach nothing more (arXiv 2309.06657; <c>hinge</c>).</summary>
    Hinge,
}
