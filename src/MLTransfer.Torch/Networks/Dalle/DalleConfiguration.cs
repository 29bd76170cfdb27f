using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>What the <c>hparams</c> of a DALL-E say, with the defaults of dalle-pytorch 1.6.6.</summary>
internal sealed record DalleConfiguration
{
    /// <summary>What <c>config.json</c> has as its <c>architecture</c>.</summary>
    public const string Architecture = "dalle-pytorch";

    public const string SizesName = "hparams";

    public const string CodecSizesName = "vae_params";

    public const string CodecClassName = "vae_class_name";

    /// <summary>The whole configuration of a codec that is none of the package's own class, where the file has its weights.</summary>
    public const string CodecName = "codec";

    /// <summary>The package's own class of codec, whose weights are in its files.</summary>
    public const string OwnCodecClass = "DiscreteVAE";

    /// <summary>What masks of all positions by all positions may be made for.</summary>
    private const int MaximumPositions = 20_000;

    /// <summary>The width of the residual stream.</summary>
    public required int Width { get; init; }

    public required int Depth { get; init; }

    public required int Heads { get; init; }

    public required int HeadWidth { get; init; }

    /// <summary>Token ids of captions.</summary>
    public required int TextVocabulary { get; init; }

    /// <summary>Tokens of a caption, padding included.</summary>
    public required int TextLength { get; init; }

    /// <summary>Codes along a picture's side.</summary>
    public required int Side { get; init; }

    public required int CodebookSize { get; init; }

    public required double ImageLossWeight { get; init; }

    /// <summary>Whether layers are reversible pairs (arXiv 1707.04585) of two streams.</summary>
    public required bool Reversible { get; init; }

    /// <summary>Whether the embedding's gradient is damped, and the last states are divided by their largest channel.</summary>
    public required bool Stable { get; init; }

    /// <summary>Whether the output of each part is normalized too (arXiv 2105.13290).</summary>
    public required bool SandwichNorms { get; init; }

    public required bool ShiftsTokens { get; init; }

    /// <summary>Whether positions are turned, in place of tables of positions.</summary>
    public required bool Rotary { get; init; }

    /// <summary>Whether tokens are looked up in the rows of the output head.</summary>
    public required bool SharesEmbeddings { get; init; }

    public required double AttentionDropout { get; init; }

    public required double FeedForwardDropout { get; init; }

    /// <summary>By layer.</summary>
    public required ImmutableArray<AttentionKind> Kinds { get; init; }

    /// <summary>For each layer the first one whose attention has the same weights.</summary>
    public required ImmutableArray<int> AttentionOwners { get; init; }

    /// <summary>For each layer the first one whose feed-forward has the same weights.</summary>
    public required ImmutableArray<int> FeedForwardOwners { get; init; }

    /// <summary>The positions of the text with the start token.</summary>
    public int TextPositions => TextLength + 1;

    /// <summary>Codes of a picture.</summary>
    public int ImageLength => Side * Side;

    /// <summary>Rows of the text's table: a token of its own pads each position.</summary>
    public int TextRows => TextVocabulary + TextLength;

    /// <summary>Text tokens with padding, and codes.</summary>
    public int Logits => TextRows + CodebookSize;

    /// <summary>Refuses what the whole file asks for beside the transformer's sizes.</summary>
    /// <returns>The class of the codec.</returns>
    /// <exception cref="InvalidDataException">An entry is missing or malformed.</exception>
    /// <exception cref="NotSupportedException">An entry is not known.</exception>
    public static string CheckFile(JsonObject json, string origin)
    {
        var entries = new ConfigurationReader(json, origin);
        entries.Require("architecture", Architecture);
        if (entries.Object(SizesName) is null)
            throw entries.Missing(SizesName);
        var hasCodecSizes = entries.Object(CodecSizesName) is not null | entries.Object(CodecName) is not null;
        var codec = entries.OptionalText(CodecClassName) ?? OwnCodecClass; // which older versions of the package do not name
        if (codec == OwnCodecClass && !hasCodecSizes)
            throw entries.Missing(CodecSizesName);
        entries.RefuseUnread(key => key is "version" or "epoch" or "dtype" or "torch_dtype");
        return codec;
    }

    /// <param name="json">The whole file's content.</param>
    /// <param name="origin">The file, for error messages.</param>
    /// <param name="side">Codes along the side of the codec's pictures.</param>
    /// <param name="codebookSize">The codec's codewords.</param>
    /// <exception cref="InvalidDataException">An entry is missing or malformed.</exception>
    /// <exception cref="NotSupportedException">An entry asks for what is not supported; the message names it.</exception>
    public static DalleConfiguration Parse(JsonObject json, string origin, int side, int codebookSize)
    {
        var entries = new ConfigurationReader(json, origin).Object(SizesName)!;
        entries.Refuse("sparse_attn", "attention of DeepSpeed's sparse kind cannot be had. Name the kinds in attn_types");
        entries.Skip("optimize_for_inference"); // the same numbers
        var depth = entries.Layers("depth");
        var kinds = KindsOf(entries, json[SizesName]!["attn_types"], depth);
        var sizes = new DalleConfiguration
        {
            Width = entries.Size("dim"),
            Depth = depth,
            Heads = entries.Size("heads", 8),
            HeadWidth = entries.Size("dim_head", 64),
            TextVocabulary = entries.Size("num_text_tokens", 10000),
            TextLength = entries.Size("text_seq_len", 256),
            Side = side,
            CodebookSize = codebookSize,
            ImageLossWeight = entries.Number("loss_img_weight", 7),
            Reversible = entries.Flag("reversible", false),
            Stable = entries.Flag("stable", false),
            SandwichNorms = entries.Flag("sandwich_norm", false),
            ShiftsTokens = entries.Flag("shift_tokens", !entries.IsNull("shift_tokens")),
            Rotary = entries.Flag("rotary_emb", !entries.IsNull("rotary_emb")),
            SharesEmbeddings = entries.Flag("share_input_output_emb", false),
            AttentionDropout = entries.Probability("attn_dropout", 0),
            FeedForwardDropout = entries.Probability("ff_dropout", 0),
            Kinds = kinds,
            AttentionOwners = OwnersOf(entries, "shared_attn_ids", depth),
            FeedForwardOwners = OwnersOf(entries, "shared_ff_ids", depth),
        };
        entries.RefuseUnread(static _ => false);
        sizes.Check(entries);
        return sizes;
    }

    /// <summary>The token ids that the network reads of a caption's: cut, or filled up with 0; null for no caption.</summary>
    /// <exception cref="ArgumentException">An id is none of the vocabulary's.</exception>
    public int[] PadCaption(IReadOnlyList<int>? caption)
    {
        var padded = new int[TextLength];
        foreach (var (place, id) in (caption ?? []).Take(TextLength).Index())
        {
            padded[place] = (uint)id < (uint)TextVocabulary ? id : throw new ArgumentException(
                $"The caption has the token {id}; the model has {TextVocabulary}. Use the tokenizer that it was trained with.",
                nameof(caption));
        }

        return padded;
    }

    private void Check(ConfigurationReader entries)
    {
        if (ImageLossWeight < 0)
            throw entries.Invalid($"loss_img_weight is {ImageLossWeight}; expected 0 or more");
        if ((long)Side * Side + TextPositions > MaximumPositions)
        {
            throw entries.Invalid(
                $"text_seq_len and the codec's {Side} x {Side} codes make a sequence of more than {MaximumPositions} positions");
        }

        if (ShiftsTokens && Width < 2)
            throw entries.Invalid("dim is 1, which has no halves that shift_tokens could shift");
        for (var layer = 0; layer < Depth; layer++)
        {
            if (Kinds[layer] != Kinds[AttentionOwners[layer]])
            {
                throw entries.Invalid(
                    $"shared_attn_ids gives layers {AttentionOwners[layer]} and {layer} one attention, but attn_types makes them "
                    + $"{Kinds[AttentionOwners[layer]]} and {Kinds[layer]}");
            }
        }
    }

    /// <summary>The kinds, repeated over the layers.</summary>
    private static ImmutableArray<AttentionKind> KindsOf(ConfigurationReader entries, JsonNode? node, int depth)
    {
        IReadOnlyList<string> names = node?.GetValueKind() == JsonValueKind.String
            ? [entries.Text("attn_types")] : entries.Texts("attn_types") ?? ["full"];
        if (names.Count == 0)
            throw entries.Invalid("attn_types is empty; expected the kinds of attention, such as \"full\"");
        var kinds = names.Select(name => AttentionPattern.Of(name) ?? throw entries.Unsupported(
            "attn_types", $"'{name}' cannot be had: supported are full, axial_row, axial_col and conv_like")).ToList();
        return [.. Enumerable.Range(0, depth).Select(layer => kinds[layer % kinds.Count])];
    }

    /// <summary>For each layer the first with the same id; ids are repeated over the layers, and are numbers or texts.</summary>
    private static ImmutableArray<int> OwnersOf(ConfigurationReader entries, string key, int depth)
    {
        if (entries.Array(key) is not { } list)
            return [.. Enumerable.Range(0, depth)];
        if (list.Count == 0 || list.Any(id => id?.GetValueKind() is not (JsonValueKind.Number or JsonValueKind.String)))
            throw entries.Invalid($"{key} is {list.ToJsonString()}; expected a list of numbers or texts");
        string[] ids = [.. Enumerable.Range(0, depth).Select(layer => list[layer % list.Count]!.ToJsonString())];
        return [.. ids.Select(id => Array.IndexOf(ids, id))];
    }
}
