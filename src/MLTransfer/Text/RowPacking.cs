namespace MLTransfer;

/// <summary>How texts of the training data become rows of token ids.</summary>
public enum RowPacking
{
    /// <summary>
    /// Every text is a row of its own; one that is longer than <see cref="TextGeneratorOptions.MaximumLength"/> is cut into several.
    /// </summary>
    None,

    /// <summary>Texts share rows of <see cref="TextGeneratorOptions.MaximumLength"/> tokens, but do not see each other.</summary>
    Packed,

    /// <summary>
    /// All texts are joined in order and cut into rows of <see cref="TextGeneratorOptions.MaximumLength"/> tokens, as <c>run_clm.py</c>
    /// does. The incomplete last row is dropped, unless it is the only one.
    /// </summary>
    Concatenated,
}
