namespace MLTransfer.Torch.Tokenization.PostProcessors;

/// <summary>A stage that adds special tokens to the tokens of one text or two.</summary>
internal interface IPostProcessor
{
    /// <summary>The number of special tokens that are added.</summary>
    int CountAdded(bool isPair);

    /// <summary>Changes the parts that an encoding is made of, at first one or two texts, and their number.</summary>
    List<EncodedPart> Process(List<EncodedPart> parts, bool addsSpecialTokens);
}
