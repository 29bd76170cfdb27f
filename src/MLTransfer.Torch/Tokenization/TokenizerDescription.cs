using MLTransfer.Torch.Tokenization.Decoders;
using MLTransfer.Torch.Tokenization.Models;
using MLTransfer.Torch.Tokenization.Normalizers;
using MLTransfer.Torch.Tokenization.PostProcessors;
using MLTransfer.Torch.Tokenization.PreTokenizers;

namespace MLTransfer.Torch.Tokenization;

/// <summary>The stages of a tokenizer as files describe them.</summary>
internal sealed record TokenizerDescription
{
    public INormalizer? Normalizer { get; init; }

    public IPreTokenizer? PreTokenizer { get; init; }

    /// <summary>The model, where it is no byte-pair model.</summary>
    public ITokenModel? Model { get; init; }

    /// <summary>What a byte-pair model is made of.</summary>
    public BytePairOptions? BytePairs { get; init; }

    public IPostProcessor? PostProcessor { get; init; }

    public IDecoder Decoder { get; init; } = DecoderReader.Spaces;

    /// <summary>Added tokens with their ids, in the file's order.</summary>
    public IReadOnlyList<(AddedToken Token, int Id)> AddedTokens { get; init; } = [];

    /// <summary>Ids of tokens by role, such as <c>bos_token</c>, that are not found in text.</summary>
    public IReadOnlyDictionary<string, int> RoleIds { get; init; } = new Dictionary<string, int>();

    /// <summary>Ids that decoding leaves out on request, of tokens that are not found in text.</summary>
    public IReadOnlyList<int> HiddenSpecialIds { get; init; } = [];

    /// <summary>The truncation and padding that the file asks for; null: none.</summary>
    public EncodingOptions? EncodingOptions { get; init; }

    public TokenVocabulary Vocabulary => BytePairs?.Vocabulary ?? Model!.Vocabulary;

    /// <summary>The model, and the pre-tokenizer that goes with it.</summary>
    public (ITokenModel Model, IPreTokenizer? PreTokenizer) Build()
    {
        if (BytePairs is null)
            return (Model!, PreTokenizer);

        // Where bytes are written only for the model to read them, the model reads them from the text.
        if (BytePairs is { ContinuingPrefix: "", EndSuffix: "", FallsBackToBytes: false }
            && WithoutWrittenBytes() is IPreTokenizer cutting && BytePairModel.HasAlphabet(BytePairs.Vocabulary))
        {
            return (new BytePairModel(BytePairs with { ReadsBytes = true }), cutting);
        }

        return (new BytePairModel(BytePairs), PreTokenizer);
    }

    /// <summary>The pre-tokenizer without the writing of bytes that ends it; null where it does not write any.</summary>
    public IPreTokenizer? WithoutWrittenBytes() => WithoutWritingBytes(PreTokenizer);

    private static IPreTokenizer? WithoutWritingBytes(IPreTokenizer? preTokenizer) => preTokenizer switch
    {
        ByteLevelPreTokenizer stage => new ByteLevelPreTokenizer(stage.AddsPrefixSpace, stage.SplitsWords, writesBytes: false),
        PreTokenizerSequence { Parts: [.. var before, var last] } when WithoutWritingBytes(last) is IPreTokenizer cutting =>
            new PreTokenizerSequence([.. before, cutting]),
        _ => null,
    };
}
