namespace MLTransfer.Torch.Networks.Transformers.Description;

/// <summary>The noise in plain texts that an encoder with a decoder learned to undo.</summary>
internal enum PretrainingNoise
{
    /// <summary>None that is known here.</summary>
    None,

    /// <summary>Spans are left out and written (T5).</summary>
    Spans,

    /// <summary>Spans are masked and the whole text is written (BART).</summary>
    Infilling,
}
