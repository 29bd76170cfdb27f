using System.Text;
using MLTransfer.Torch.Tokenization.Decoders;
using MLTransfer.Torch.Tokenization.Models;
using MLTransfer.Torch.Tokenization.Normalizers;
using MLTransfer.Torch.Tokenization.Patterns;
using MLTransfer.Torch.Tokenization.PostProcessors;
using MLTransfer.Torch.Tokenization.PreTokenizers;
using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.Conversion;

/// <summary>
/// Makes the stages for folders without a tokenizer.json, from <c>vocab.json</c> with <c>merges.txt</c> or from <c>vocab.txt</c>: which
/// ones is known by the class that <c>tokenizer_config.json</c> names, as in `convert_slow_tokenizer` of transformers.
/// </summary>
internal static class VocabularyFolder
{
    private const string Qwen2Pattern =
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private const string ClipPattern = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

    private const string WordEnd = "</w>";

    /// <summary>Merges of CLIP's vocabulary; its file has more.</summary>
    private const int ClipMergeCount = 49152 - 256 - 2;

    /// <summary>Reads <c>vocab.json</c> and <c>merges.txt</c>.</summary>
    public static TokenizerDescription ReadMerges(IReadOnlyDictionary<string, byte[]> files, TokenizerConfiguration configuration)
    {
        var vocabulary = TokenVocabulary.Read(
            JsonField.Parse(files[TokenizerFiles.Vocabulary], TokenizerFiles.Vocabulary), TokenizerFiles.Vocabulary);
        var bytePairs = new BytePairOptions
        {
            Vocabulary = vocabulary,
            Merges = MergeList.Resolve(
                MergeList.Read(files[TokenizerFiles.Merges], TokenizerFiles.Merges), vocabulary, TokenizerFiles.Merges),
            MergesFile = TokenizerFiles.Merges,
        };
        var byteLevel = new TokenizerDescription
        {
            BytePairs = bytePairs,
            PreTokenizer = new ByteLevelPreTokenizer(configuration.AddsPrefixSpace ?? false, splitsWords: true),
            PostProcessor = new ByteLevelPostProcessor(trimsOffsets: false, hasPrefixSpace: true),
            Decoder = new ByteLevelDecoder(),
        };
        (int Id, string Token) Special(string role) => SpecialToken(vocabulary, configuration, role);
        switch (configuration.Family)
        {
            case var family when ClassDefaults.IsGpt2(family):
                return byteLevel;
            case var family when ClassDefaults.IsRoberta(family):
                return byteLevel with
                {
                    PostProcessor = new PairProcessor
                    {
                        Class = Special("cls_token"),
                        Separator = Special("sep_token"),
                        IsRoberta = true,
                        TrimsOffsets = true,
                        HasPrefixSpace = configuration.AddsPrefixSpace ?? false,
                    },
                };
            case "Qwen2":
                return byteLevel with
                {
                    Normalizer = new UnicodeNormalizer(NormalizationForm.FormC),
                    PreTokenizer = new PreTokenizerSequence([
                        new SplitPreTokenizer(new RegularExpression(Qwen2Pattern), SplitBehavior.Isolated),
                        new ByteLevelPreTokenizer(configuration.AddsPrefixSpace ?? false, splitsWords: false)]),
                };
            case "CLIP":
                return Clip(bytePairs with { UnknownToken = Special("unk_token").Token }) with
                {
                    PostProcessor = new PairProcessor
                    {
                        Class = Special("bos_token"),
                        Separator = Special("eos_token"),
                        IsRoberta = true,
                    },
                };
            case "OpenAIGPT":
                return new TokenizerDescription
                {
                    BytePairs = bytePairs with { UnknownToken = Special("unk_token").Token, EndSuffix = WordEnd },
                    Normalizer = new BertNormalizer(new BertNormalizerOptions(
                        CleansText: true, SeparatesChinese: true, StripsAccents: null, Lowercases: true)),
                    PreTokenizer = PreTokenizerReader.Bert,
                    Decoder = new BytePairDecoder(WordEnd),
                };
            case DalleMiniTokens.Family:
                return DalleMiniTokens.Describe(bytePairs);
            default:
                throw new NotSupportedException(
                    $"{TokenizerFiles.Configuration}: tokenizer_class '{configuration.TokenizerClass}' with {TokenizerFiles.Vocabulary} " +
                    $"and {TokenizerFiles.Merges} is not supported; expected GPT2Tokenizer, RobertaTokenizer, BartTokenizer, " +
                    $"CLIPTokenizer, Qwen2Tokenizer, OpenAIGPTTokenizer or {DalleMiniTokens.Class}, or a {TokenizerFiles.Tokenizer}.");
        }
    }

    /// <summary>
    /// Reads the file of merges that CLIP's release has, from which the tokens follow: bytes, bytes that end a word, merges, and two
    /// special
    /// tokens, which are not put around a text (the captions' tokenizer of dalle-pytorch, but for its repair of broken Unicode).
    /// </summary>
    public static TokenizerDescription ReadClipMerges(IReadOnlyDictionary<string, byte[]> files)
    {
        const string File = TokenizerFiles.ClipMerges;
        var vocabulary = new TokenVocabulary(File);
        char[] bytes = [.. Enumerable.Range(0, 256).Select(value => ByteLevelAlphabet.CharacterOf((byte)value)).Order()]; // printable first
        var tokens = bytes.Select(character => character.ToString()).Concat(bytes.Select(character => character + WordEnd));
        var merges = MergeList.Lines(files[File], File).Skip(1).Where(line => line.Length > 0).Take(ClipMergeCount)
            .Select(line => MergeList.Split(line) ?? throw new InvalidDataException(
                $"{File}: a line is '{(line.Length > 60 ? line[..60] : line)}'; expected two tokens with one space between.")).ToList();
        AddedToken[] special = [AddedToken.SpecialOf("<|startoftext|>"), AddedToken.SpecialOf("<|endoftext|>")];
        foreach (string token in tokens.Concat(merges.Select(merge => merge.Left + merge.Right)).Concat(special.Select(t => t.Content)))
            vocabulary.Set(token, vocabulary.Size);
        var bytePairs = new BytePairOptions
        {
            Vocabulary = vocabulary, Merges = MergeList.Resolve(merges, vocabulary, File), MergesFile = File,
        };
        return Clip(bytePairs) with
        {
            AddedTokens = [.. special.Select(token => (token, vocabulary.Ids[token.Content]))],
            Decoder = new DecoderSequence([new ByteLevelDecoder(), new WordEndDecoder(WordEnd)]),
        };
    }

    /// <summary>The stages of CLIP's tokenizer, but for tokens around a text.</summary>
    private static TokenizerDescription Clip(BytePairOptions bytePairs) => new()
    {
        BytePairs = bytePairs with { EndSuffix = WordEnd },
        Normalizer = new NormalizerSequence([
            new UnicodeNormalizer(NormalizationForm.FormC), new ReplaceNormalizer(new RegularExpression("\\s+"), " "),
            new LowercaseNormalizer()]),
        PreTokenizer = new PreTokenizerSequence([
            new SplitPreTokenizer(new RegularExpression(ClipPattern), SplitBehavior.Removed, invert: true),
            new ByteLevelPreTokenizer(addsPrefixSpace: false, splitsWords: true)]),
        Decoder = new ByteLevelDecoder(),
    };

    /// <summary>Reads <c>vocab.txt</c> of BERT and its relatives: a token a line.</summary>
    public static TokenizerDescription ReadWordPieces(IReadOnlyDictionary<string, byte[]> files, TokenizerConfiguration configuration)
    {
        const string File = TokenizerFiles.WordPieces;
        if (configuration.Family.Length > 0 && !ClassDefaults.IsBert(configuration.Family))
        {
            throw new NotSupportedException(
                $"{TokenizerFiles.Configuration}: tokenizer_class '{configuration.TokenizerClass}' with {File} is not supported; " +
                $"expected BertTokenizer or one of its relatives, or a {TokenizerFiles.Tokenizer}.");
        }

        var vocabulary = new TokenVocabulary(File);
        string[] lines = [.. MergeList.Lines(files[File], File)];
        int count = lines.Length > 0 && lines[^1].Length == 0 ? lines.Length - 1 : lines.Length;
        if (count is 0 or > TokenVocabulary.MaximumSize)
            throw new InvalidDataException($"{File} has {count} lines; expected from 1 to {TokenVocabulary.MaximumSize}, a token each.");
        for (int id = 0; id < count; id++)
            vocabulary.Add(lines[id], id, File);

        foreach ((string role, string token) in ClassDefaults.Roles("Bert"))
            configuration.Roles.TryAdd(role, AddedToken.SpecialOf(token));
        (int Id, string Token) begin = SpecialToken(vocabulary, configuration, "cls_token");
        (int Id, string Token) separator = SpecialToken(vocabulary, configuration, "sep_token");
        return new TokenizerDescription
        {
            Model = new WordPieceModel(vocabulary, SpecialToken(vocabulary, configuration, "unk_token").Token, "##", 100),
            Normalizer = new BertNormalizer(ConfiguredStages.BertOptions(configuration.Main)),
            PreTokenizer = PreTokenizerReader.Bert,
            PostProcessor = new PairProcessor { Class = begin, Separator = separator, IsRoberta = false },
            Decoder = DecoderReader.WordPiece("##", cleansUp: true),
        };
    }

    private static (int Id, string Token) SpecialToken(TokenVocabulary vocabulary, TokenizerConfiguration configuration, string role)
    {
        string? token = configuration.Roles.GetValueOrDefault(role)?.Content
            ?? ClassDefaults.Roles(configuration.Family).FirstOrDefault(entry => entry.Role == role).Token;
        return token is not null && vocabulary.Ids.TryGetValue(token, out int id) ? (id, token) : throw new InvalidDataException(
            $"The tokenizer needs a {role}, but {(token is null ? "no file names one" : $"'{token}' is not in the vocabulary")}.");
    }
}
