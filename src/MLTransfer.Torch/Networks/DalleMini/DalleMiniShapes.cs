using System.Globalization;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Transformers.Families;

namespace MLTransfer.Torch.Networks.DalleMini;

/// <summary>The sizes that the tensors of a DALL-E mini tell, where no file does: published conversions are state dictionaries
/// alone.</summary>
/// <param name="weights">The three files as one checkpoint.</param>
internal sealed class DalleMiniShapes(Checkpoint weights)
{
    /// <summary>The width of a head in all published models; no shape tells it.</summary>
    private const int HeadWidth = 64;

    private const string Transformer = DalleMiniModel.TransformerName + ".";
    private const string Codec = DalleMiniModel.CodecName + ".";

    /// <summary>A <c>config.json</c>.</summary>
    /// <exception cref="InvalidDataException">A tensor is missing, or has a shape that no such model has.</exception>
    public JsonObject Configure()
    {
        var width = Size(Transformer + "encoder.embed_tokens.weight", 1);
        if (width % HeadWidth != 0)
        {
            throw new InvalidDataException(
                $"{weights.Location} has no {ModelConfigurationFile.FileName}, and tensors of width {width} do not tell the number of "
                + $"heads, which are {HeadWidth} wide in published models. Add {ModelConfigurationFile.FileName}.");
        }

        var configuration = new JsonObject
        {
            ["model_type"] = DalleBart.Family.ModelType,
            ["d_model"] = width,
            ["encoder_vocab_size"] = Size(Transformer + "encoder.embed_tokens.weight", 0),
            ["max_text_length"] = Size(Transformer + "encoder.embed_positions.weight", 0),
            ["image_vocab_size"] = Size(Transformer + "decoder.lm_head.weight", 0) - 1,
            ["image_length"] = Size(Transformer + "decoder.embed_positions.weight", 0),
            ["decoder_start_token_id"] = Size(CodewordsName, 0),
            ["use_bias"] = Has(Transformer + "encoder.layers.0.self_attn.q_proj.bias"),
            ["force_ln_scale"] = Has(Transformer + "encoder.layers.0.pre_self_attn_layer_norm.weight"),
        };
        foreach (var side in (string[])["encoder", "decoder"])
        {
            configuration[side + "_layers"] = Count($"{Transformer}{side}.layers.");
            configuration[side + "_attention_heads"] = width / HeadWidth;
            configuration[side + "_ffn_dim"] = Size($"{Transformer}{side}.layers.0.glu.fc0.weight", 0);
            configuration["use_final_ln_" + side] = Has($"{Transformer}{side}.final_ln.weight");
        }

        return configuration;
    }

    /// <summary>A <c>vqgan_config.json</c>.</summary>
    /// <exception cref="InvalidDataException">A tensor is missing, or has a shape that no such model has.</exception>
    public JsonObject ConfigureCodec()
    {
        var levels = Count(Codec + "decoder.up.");
        int[] channels = [.. Enumerable.Range(0, levels).Select(level => Size($"{Codec}decoder.up.{level}.block.0.conv1.weight", 0))];
        var unit = channels.Aggregate(GreatestCommonDivisor);
        var codes = Size(Transformer + "decoder.embed_positions.weight", 0);
        var side = (int)Math.Round(Math.Sqrt(codes));
        if (side * side != codes || levels > 16 || unit < 1)
            throw new InvalidDataException($"{weights.Location}: {codes} positions of the decoder are no square of codes.");
        return new JsonObject
        {
            ["ch"] = unit,
            ["ch_mult"] = new JsonArray([.. channels.Select(maps => JsonValue.Create(maps / unit))]),
            ["num_res_blocks"] = Count(Codec + "decoder.up.0.block.") - 1,
            ["attn_resolutions"] = new JsonArray([.. Enumerable.Range(0, levels)
                .Where(level => Has($"{Codec}decoder.up.{level}.attn.0.norm.weight"))
                .Select(level => JsonValue.Create(side << (levels - 1 - level)))]),
            ["resolution"] = side << (levels - 1),
            ["z_channels"] = Size(Codec + "decoder.conv_in.weight", 1),
            ["embed_dim"] = Size(CodewordsName, 1),
            ["n_embed"] = Size(CodewordsName, 0),
            ["resamp_with_conv"] = levels == 1 || Has($"{Codec}decoder.up.1.upsample.conv.weight"),
        };
    }

    private static string CodewordsName => Codec + "embedding.weight";

    private static int GreatestCommonDivisor(int a, int b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);

    private bool Has(string name) => weights.Tensors.ContainsKey(name);

    private int Size(string name, int dimension) =>
        weights.Tensors.TryGetValue(name, out var tensor) && tensor.Shape.Count > dimension && tensor.Shape[dimension] is > 0 and < 1 << 24
            ? (int)tensor.Shape[dimension]
            : throw new InvalidDataException(
                $"{weights.Location} has no tensor '{name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..]}' of a DALL-E mini's shape. "
                + "Are encoder, decoder and detoker in the right files?");

    /// <summary>How many numbers follow a beginning of names, from 0 on.</summary>
    private int Count(string beginning)
    {
        var numbers = weights.Tensors.Keys.Where(name => name.StartsWith(beginning, StringComparison.Ordinal))
            .Select(name => name[beginning.Length..].Split('.')[0]).ToHashSet(StringComparer.Ordinal);
        var count = 0;
        while (numbers.Contains(count.ToString(CultureInfo.InvariantCulture)))
            count++;
        return count > 0 ? count : throw new InvalidDataException($"{weights.Location} has no tensors '{beginning}0...'.");
    }
}
