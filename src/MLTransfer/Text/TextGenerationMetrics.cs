namespace MLTransfer;

/// <summary>How well a model predicts texts.</summary>
/// <param name="Loss">The mean over predicted tokens of -ln p(token), in nats.</param>
/// <param name="TokenCount">The number of predicted tokens.</param>
/// <param name="ByteCount">The length of the texts as UTF-8.</param>
public sealed record TextGenerationMetrics(double Loss, long TokenCount, long ByteCount)
{
    /// <summary>e to the power of <see cref="Loss"/>: among how many equally likely tokens the model chooses on average.</summary>
    public double Perplexity => Math.Exp(Loss);

    /// <summary>
    /// The information of all predicted tokens divided by <see cref="ByteCount"/>, in bits; comparable between tokenizers. Of T5 on whole
    /// texts the predicted tokens are those that noise leaves out, not all of the text.
    /// </summary>
    public double BitsPerByte => Loss * TokenCount / Math.Log(2) / ByteCount;
}
