using MLTransfer.Torch.Generation.Processors;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Generation.Music;

/// <summary>How a code is chosen of logits. For one thread.</summary>
internal sealed class LogitsChoice(MusicGenerationOptions options, int codes)
{
    private readonly LogitsPipeline _processors = LogitsPipeline.Create(options.Sampling, codes, endOfSequenceIds: []);
    private readonly TokenChooser _chooser = new(codes);

    /// <param name="logits">[codes]; they are changed.</param>
    /// <param name="before">The codebook's codes so far.</param>
    /// <param name="random">The row's stream.</param>
    public (int Code, float LogProbability) Next(Span<float> logits, TokenSequence before, ref SplitMix64 random)
    {
        _processors.Apply(logits, before.Tokens, before.PromptLength);
        return options.Sample ? _chooser.Draw(logits, ref random) : _chooser.Largest(logits);
    }
}
