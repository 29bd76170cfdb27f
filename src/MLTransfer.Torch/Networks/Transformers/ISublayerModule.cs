namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>A part of a block in a decoding step.</summary>
internal interface ISublayerModule
{
    /// <summary>Computes one new position a row.</summary>
    /// <param name="input">[rows, width].</param>
    /// <param name="output">[rows, width]; may be the input.</param>
    /// <param name="pass">What blocks share.</param>
    /// <param name="accumulate">Whether the result is added to the output.</param>
    void Step(ReadOnlySpan<float> input, Span<float> output, StepPass pass, bool accumulate);
}
