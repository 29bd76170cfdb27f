using System.Text;
using MLTransfer.Torch.Tokenization.Decoders;
using MLTransfer.Torch.Tokenization.Models;
using MLTransfer.Torch.Tokenization.Normalizers;
using MLTransfer.Torch.Tokenization.Patterns;
using MLTransfer.Torch.Tokenization.PostProcessors;
using MLTransfer.Torch.Tokenization.PreTokenizers;
using MLTransfer.Torch.Tokenization.SentencePiece;
using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.Conversion;

/// <summary>
/// Makes the stages that transformers makes of a SentencePiece model for a class of its own (`convert_slow_tokenizer`), which on some
/// texts gives other tokens than sentencepiece.
/// </summary>
internal sealed class SentencePieceConversion
{
    private const string SpaceSign = "\u2581";
    private static readonly Rune s_spaceSign = new('\u2581');

    private readonly SentencePieceFile _file;
    private readonly string _name;
    private readonly TokenizerConfiguration _configuration;

    private SentencePieceConversion(SentencePieceFile file, string name, TokenizerConfiguration configuration) =>
        (_file, _name, _configuration) = (file, name, configuration);

    public static TokenizerDescription Convert(SentencePieceFile file, string name, TokenizerConfiguration configuration)
    {
        var conversion = new SentencePieceConversion(file, name, configuration);
        return configuration.Family switch
        {
            "Llama" or "CodeLlama" => conversion.Llama(),
            "Gemma" => conversion.Gemma(),
            "T5" => conversion.T5(),
            "Albert" => conversion.Albert(),
            "XLMRoberta" => conversion.XlmRoberta(),
            _ => throw new NotSupportedException(
                $"{TokenizerFiles.Configuration}: tokenizer_class '{configuration.TokenizerClass}' with {name} is not supported; " +
                $"expected LlamaTokenizer, GemmaTokenizer, T5Tokenizer, AlbertTokenizer or XLMRobertaTokenizer, or a " +
                $"{TokenizerFiles.Tokenizer}."),
        };
    }

    private bool IsLegacy => _configuration.Main?.Optional("legacy")?.Flag() ?? true;

    private bool AddsPrefixSpace => _configuration.AddsPrefixSpace ?? true;

    private PrependScheme Scheme => !AddsPrefixSpace ? PrependScheme.Never : IsLegacy ? PrependScheme.Always : PrependScheme.First;

    private TokenizerDescription Llama() => _file.ModelType == 1
        ? throw new NotSupportedException($"{_name} is a unigram model, which LlamaTokenizer is not supported with; expected byte pairs.")
        : new TokenizerDescription
        {
            BytePairs = BytePairs([.. _file.Pieces.Select(piece => (piece.Text, piece.Score))]),
            Normalizer = !IsLegacy ? null : AddsPrefixSpace
                ? new NormalizerSequence([new PrependNormalizer(SpaceSign), new ReplaceNormalizer(new LiteralPattern(" "), SpaceSign)])
                : new ReplaceNormalizer(new LiteralPattern(" "), SpaceSign),
            PreTokenizer = IsLegacy ? null : new MetaspacePreTokenizer(s_spaceSign, Scheme, splits: false),
            Decoder = ByteDecoder(strips: AddsPrefixSpace),
            AddedTokens = ListedTokens(),
        };

    private TokenizerDescription Gemma()
    {
        var pieces = _file.Pieces.Select(piece => (piece.Text, piece.Score)).ToList();
        int tab = pieces.FindIndex(piece => piece.Text == "<0x09>");
        if (!pieces.Exists(piece => piece.Text == "\t") && tab >= 0)
            pieces[tab] = ("\t", 0);
        return new TokenizerDescription
        {
            BytePairs = BytePairs(pieces),
            Normalizer = new ReplaceNormalizer(new LiteralPattern(" "), SpaceSign),
            PreTokenizer = new SplitPreTokenizer(new LiteralPattern(" "), SplitBehavior.MergedWithPrevious),
            Decoder = ByteDecoder(strips: false),
            AddedTokens = ListedTokens(),
        };
    }

    private TokenizerDescription T5()
    {
        int extra = _configuration.Main?.Optional("extra_ids")?.Count() ?? 100;
        (string, double)[] pieces =
        [
            .. Pieces(),
            .. Enumerable.Range(0, extra).Reverse().Select(number => ($"<extra_id_{number}>", 0.0)),
        ];
        (AddedToken, int)[] extraTokens =
        [
            .. Enumerable.Range(0, extra).Select(number =>
                (AddedToken.SpecialOf($"<extra_id_{number}>"), _file.Pieces.Count + extra - 1 - number)),
        ];
        return Unigram(pieces, _file.UnknownId) with
        {
            AddedTokens = [.. ListedTokens(), .. extraTokens],
            PostProcessor = Around([], [Piece("eos_token", "</s>")]),
        };
    }

    private TokenizerDescription Albert()
    {
        bool lowercases = _configuration.Main?.FlagOr("do_lower_case", true) ?? true;
        bool keepsAccents = _configuration.Main?.FlagOr("keep_accents", false) ?? false;
        INormalizer[] accents = keepsAccents ? [] : [new UnicodeNormalizer(NormalizationForm.FormKD), new StripAccentsNormalizer()];
        INormalizer[] lower = lowercases ? [new LowercaseNormalizer()] : [];
        (string, double)[] pieces = [.. Pieces().Select(piece => IsNumberWithComma(piece.Text) ? (piece.Text, piece.Score - 100) : piece)];
        (int, string) begin = Piece("cls_token", "[CLS]");
        (int, string) separator = Piece("sep_token", "[SEP]");
        return Unigram(pieces, _file.UnknownId) with
        {
            Normalizer = new NormalizerSequence([
                new ReplaceNormalizer(new LiteralPattern("``"), "\""), new ReplaceNormalizer(new LiteralPattern("''"), "\""),
                .. accents, .. lower, .. Precompiled(), new ReplaceNormalizer(new RegularExpression(" {2,}"), " ")]),
            PostProcessor = new PairProcessor { Class = begin, Separator = separator, IsRoberta = false },
        };
    }

    private TokenizerDescription XlmRoberta()
    {
        (string, double)[] pieces = [("<s>", 0), ("<pad>", 0), ("</s>", 0), ("<unk>", 0), .. Pieces().Skip(3), ("<mask>", 0)];
        return Unigram(pieces, 3) with
        {
            AddedTokens =
            [
                .. Enumerable.Range(0, 4).Select(id => (AddedToken.SpecialOf(pieces[id].Item1), id)),
                (AddedToken.SpecialOf("<mask>") with { LeftStrip = true }, pieces.Length - 1),
            ],
            PostProcessor = new PairProcessor { Class = (0, "<s>"), Separator = (2, "</s>"), IsRoberta = true },
        };
    }

    private TokenizerDescription Unigram((string Text, double Score)[] pieces, int unknownId) => new()
    {
        Model = new UnigramModel(pieces, unknownId, fallsBackToBytes: false, _name),
        Normalizer = new NormalizerSequence([
            .. Precompiled(), new StripNormalizer(atStart: false, atEnd: true),
            new ReplaceNormalizer(new RegularExpression(" {2,}"), SpaceSign)]),
        PreTokenizer = new MetaspacePreTokenizer(s_spaceSign, Scheme, splits: true),
        Decoder = new MetaspaceDecoder(s_spaceSign, dropsFirst: Scheme != PrependScheme.Never),
        AddedTokens = ListedTokens(),
    };

    private BytePairOptions BytePairs(List<(string Text, float Score)> pieces)
    {
        var vocabulary = new TokenVocabulary(_name);
        for (int id = 0; id < pieces.Count; id++)
            vocabulary.Add(pieces[id].Text, id, _name);
        return new BytePairOptions
        {
            Vocabulary = vocabulary,
            Merges = PieceMerges.Find(pieces, vocabulary),
            MergesFile = _name,
            UnknownToken = _file.Pieces[_file.UnknownId].Text,
            FusesUnknown = true,
            FallsBackToBytes = true,
        };
    }

    private IEnumerable<(string Text, double Score)> Pieces() => _file.Pieces.Select(piece => (piece.Text, (double)piece.Score));

    private INormalizer[] Precompiled() =>
        _file.CharacterMap.Length == 0 ? [] : [new PrecompiledNormalizer(new CharacterMap(_file.CharacterMap, _name))];

    /// <summary>Control pieces and those that a user defined are added tokens.</summary>
    private (AddedToken, int)[] ListedTokens() =>
    [
        .. _file.Pieces.Select((piece, id) => (piece, id))
            .Where(entry => entry.piece.Kind is PieceKind.Control or PieceKind.UserDefined or PieceKind.Unknown)
            .Select(entry => (new AddedToken(
                entry.piece.Text, false, false, false, Normalized: false, Special: entry.piece.Kind != PieceKind.UserDefined), entry.id)),
    ];

    private (int, string) Piece(string role, string otherwise)
    {
        string text = _configuration.Roles.GetValueOrDefault(role)?.Content ?? otherwise;
        int id = _file.Pieces.Select((piece, index) => (piece, index)).FirstOrDefault(entry => entry.piece.Text == text, (default, -1))
            .index;
        return id >= 0 ? (id, text) : throw new InvalidDataException($"{_name}: the {role} '{text}' is not among the pieces.");
    }

    private static TemplateProcessor Around((int, string)[] before, (int, string)[] after)
    {
        TemplatePiece[] Part(int text) =>
        [
            .. before.Select(token => TemplatePiece.Special(token, 0)), TemplatePiece.Text(text, 0),
            .. after.Select(token => TemplatePiece.Special(token, 0)),
        ];
        return new TemplateProcessor([.. Part(0)], [.. Part(0), .. Part(1)]);
    }

    private static DecoderSequence ByteDecoder(bool strips) => new([
        DecoderReader.Replace(new LiteralPattern(SpaceSign), " "), new ByteFallbackDecoder(), new FuseDecoder(),
        .. strips ? [new StripDecoder(new Rune(' '), 1, 0)] : (IDecoder[])[]]);

    private static bool IsNumberWithComma(string piece) => piece is [.., var digit, ','] && char.IsDigit(digit);
}
