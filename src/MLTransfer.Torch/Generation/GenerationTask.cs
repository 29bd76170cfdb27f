using MLTransfer.Torch.Generation.Processors;

namespace MLTransfer.Torch.Generation;

/// <summary>What the search for continuations needs to know; for one thread.</summary>
/// <param name="Decoder">A network that is ready.</param>
/// <param name="Options">Checked options.</param>
/// <param name="EndOfSequenceIds">The tokens that end a sequence, all within the vocabulary.</param>
/// <param name="Processors">What is done to logits.</param>
/// <param name="Monitor">Makes the monitor of a new sequence; null for none.</param>
/// <param name="CancellationToken">Ends the search between two tokens.</param>
internal sealed record GenerationTask(
    ICausalDecoder Decoder,
    GenerationOptions Options,
    int[] EndOfSequenceIds,
    LogitsPipeline Processors,
    Func<ITokenMonitor>? Monitor,
    CancellationToken CancellationToken);
