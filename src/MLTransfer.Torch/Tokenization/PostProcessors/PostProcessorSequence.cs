using System.Collections.Immutable;

namespace MLTransfer.Torch.Tokenization.PostProcessors;

/// <summary>Post-processors one after the other.</summary>
internal sealed class PostProcessorSequence(ImmutableArray<IPostProcessor> stages) : IPostProcessor
{
    public int CountAdded(bool isPair) => stages.Sum(stage => stage.CountAdded(isPair));

    public List<EncodedPart> Process(List<EncodedPart> parts, bool addsSpecialTokens)
    {
        foreach (IPostProcessor stage in stages)
            parts = stage.Process(parts, addsSpecialTokens);
        return parts;
    }
}
