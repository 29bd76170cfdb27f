using MLTransfer.Torch.Tokenization.SentencePiece;

namespace MLTransfer.Torch.Tokenization.Conversion;

/// <summary>Makes the stages for folders whose tokenizer is a SentencePiece model or ranks of tiktoken.</summary>
internal static class ModelFile
{
    public static TokenizerDescription Read(IReadOnlyDictionary<string, byte[]> files, TokenizerConfiguration configuration)
    {
        string name = TokenizerFiles.FindModel(files)!;
        if (TiktokenFile.IsRanks(files[name]))
            return TiktokenFile.Read(files, name);

        var file = SentencePieceFile.Read(files[name], name);
        return configuration.TokenizerClass is null or "PreTrainedTokenizerFast"
            ? AsSentencePiece(file, name)
            : SentencePieceConversion.Convert(file, name, configuration);
    }

    /// <summary>What sentencepiece itself makes of a text: no special tokens around it, and none found in it.</summary>
    private static TokenizerDescription AsSentencePiece(SentencePieceFile file, string name)
    {
        var roles = new Dictionary<string, int> { ["unk_token"] = file.UnknownId };
        foreach ((string role, int id) in (ReadOnlySpan<(string, int)>)[
            ("bos_token", file.BeginningOfSequenceId), ("eos_token", file.EndOfSequenceId), ("pad_token", file.PaddingId)])
        {
            if (id >= 0 && id < file.Pieces.Count && file.Pieces[id].Kind == PieceKind.Control)
                roles.Add(role, id);
        }

        return new TokenizerDescription
        {
            Model = SentencePieceModel.Create(file, name),
            Normalizer = new SentencePieceNormalizer(file, name),
            Decoder = new SentencePieceDecoder(file),
            RoleIds = roles,
            HiddenSpecialIds = [.. Enumerable.Range(0, file.Pieces.Count)
                .Where(id => file.Pieces[id].Kind is PieceKind.Control or PieceKind.Unknown)],
        };
    }
}
