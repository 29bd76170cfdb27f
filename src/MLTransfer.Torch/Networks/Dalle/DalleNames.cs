using System.Text.RegularExpressions;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>The names that dalle-pytorch 1.6.6 gives to parameters. Between a layer and its parts stand as many <c>fn</c> as the package
/// wraps around them, which differs between its versions, so that names are compared without them.</summary>
/// <param name="sizes">The transformer's.</param>
internal sealed partial class DalleNames(DalleConfiguration sizes)
{
    public const string TextTable = "text_emb";

    public const string ImageTable = "image_emb";

    public const string TextPositions = "text_pos_emb";

    public const string RowPositions = "image_pos_emb.weights.0";

    public const string ColumnPositions = "image_pos_emb.weights.1";

    public const string Angles = "transformer.pos_emb";

    public const string HeadNorm = "to_logits.0";

    public const string Head = "to_logits.1";

    public const string Codec = "vae";

    /// <summary>A part of a layer: what has the scale.</summary>
    public string Part(int layer, bool isAttention) => sizes.Reversible
        ? $"transformer.layers.blocks.{layer}.{(isAttention ? 'f' : 'g')}.net"
        : $"transformer.layers.layers.{layer}.{(isAttention ? 0 : 1)}";

    /// <summary>The attention or the feed-forward itself, inside of a part.</summary>
    public string Function(int layer, bool isAttention)
    {
        var wrappers = (isAttention ? 3 : 2) + (sizes.ShiftsTokens ? 2 : 0); // scale, norm, cache; shift with its cache
        return Part(layer, isAttention) + string.Concat(Enumerable.Repeat(".fn", wrappers));
    }

    /// <summary>What all parameters of a layer begin with.</summary>
    public string Layer(int layer) => sizes.Reversible ? $"transformer.layers.blocks.{layer}." : $"transformer.layers.layers.{layer}.";

    /// <summary>The other names of a parameter that several layers, or head and tables, share: the first of them has it.</summary>
    public IEnumerable<string> CopiesOf(string name)
    {
        if (sizes.SharesEmbeddings && name.StartsWith(Head + ".", StringComparison.Ordinal))
            return [$"{TextTable}.linear{name[Head.Length..]}", $"{ImageTable}.linear{name[Head.Length..]}"];
        if (LayerOf(name) is not { } layer)
            return [];
        var isAttention = IsIn(Function(layer, isAttention: true));
        if (!isAttention && !IsIn(Function(layer, isAttention: false)))
            return [];
        var (function, owners) = (Function(layer, isAttention), isAttention ? sizes.AttentionOwners : sizes.FeedForwardOwners);
        return Enumerable.Range(layer + 1, sizes.Depth - layer - 1).Where(other => owners[other] == layer)
            .Select(other => Function(other, isAttention) + name[function.Length..]);

        bool IsIn(string function) => name.StartsWith($"{function}.to_", StringComparison.Ordinal)
            || name.StartsWith($"{function}.net.", StringComparison.Ordinal);
    }

    /// <summary>A name as it is compared: the same whichever version wrote it.</summary>
    public static string Plain(string name) => Wrapper().Replace(name, "")
        .Replace("image_pos_emb.weights_", "image_pos_emb.weights.", StringComparison.Ordinal);

    /// <summary>The number of the layer that a parameter or a module is of; null for none.</summary>
    public static int? LayerOf(string name) => LayerNumber().Match(name) is { Success: true } match
        ? int.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) : null;

    [GeneratedRegex(@"\.fn(?=\.)")]
    private static partial Regex Wrapper();

    [GeneratedRegex(@"^transformer\.layers\.(?:layers|blocks)\.(\d{1,6})\.")]
    private static partial Regex LayerNumber();
}
