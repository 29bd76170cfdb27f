namespace MLTransfer.Torch.Tokenization.Decoders;

/// <summary>A stage that turns tokens into text.</summary>
internal interface IDecoder
{
    /// <summary>Whether what comes out is one token, in pieces.</summary>
    bool Fuses => false;

    /// <summary>A run of the stage over the tokens of one sequence.</summary>
    /// <param name="mode">How tokens go in.</param>
    DecoderRun Start(DecodingMode mode);
}

/// <summary>How tokens go into a decoder.</summary>
/// <param name="IsFused">What goes in is one token, in pieces.</param>
/// <param name="IsStreamed">Text is wanted as soon as it is readable; else only the whole of it counts.</param>
internal readonly record struct DecodingMode(bool IsFused, bool IsStreamed);
