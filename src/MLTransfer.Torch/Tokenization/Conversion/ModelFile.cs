namespace MLTransfer.Torch.Tokenization.Conversion;

/// <summary>Makes the stages for folders whose tokenizer is a SentencePiece model or ranks of tiktoken.</summary>
internal static class ModelFile
{
    public static TokenizerDescription Read(IReadOnlyDictionary<string, byte[]> files, TokenizerConfiguration configuration) =>
        throw new NotSupportedException();
}
