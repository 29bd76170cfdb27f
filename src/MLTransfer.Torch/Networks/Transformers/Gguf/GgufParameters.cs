using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Gguf;

/// <summary>The tensors of a network's GGUF file: names and orders of rows, read off its description.</summary>
internal static class GgufParameters
{
    public const string TokenTable = "token_embd.weight";
    public const string OutputWeight = "output.weight";
    public const string PositionTable = "position_embd.weight";

    /// <summary>The most distant position that llama.cpp's buckets tell apart.</summary>
    public const int MaximumDistance = 128;

    /// <summary>The tensors that have the values of parameters.</summary>
    public static IReadOnlyList<GgufParameter> Of(Transformer transformer, GgufArchitecture architecture)
    {
        var output = transformer.Output;
        var all = new List<GgufParameter> { new(TokenTable, output.Input.Tables[0]) };
        if (output.Input.Positions is LearnedPositions learned)
            all.Add(new(PositionTable, learned.Table));
        foreach (var stack in transformer.Stacks)
        {
            var place = transformer.Encoder is null ? "" : stack == transformer.Encoder ? "enc." : "dec.";
            for (var layer = 0; layer < stack.Blocks.Length; layer++)
                AddBlock(stack, stack.Blocks[layer], $"{place}blk.{layer}.", isFirst: layer == 0);
            AddNorm(stack.Final, place + "output_norm");
        }

        var head = output.Heads[0];
        if (head.Weight != output.Input.Tables[0] || head.Scale != 1 || architecture.NeedsOutput)
            all.Add(new(OutputWeight, head.Weight) { Factor = head.Scale, ScaledRows = head.Rows });
        return all;

        void AddBlock(Stack stack, Block block, string place, bool isFirst)
        {
            var outputName = transformer.Encoder is null ? "attn_output" : "attn_o";
            AddAttention(block.Self, place, "attn", outputName, architecture.Scale(stack));
            if (isFirst && block.Self.Bias is { } bias)
                all.Add(new(place + "attn_rel_b.weight", bias.Table) { Rows = RowsOfBuckets(bias) });
            AddNorm(block.Self.OnOutput, place + "post_attention_norm");
            if (block.Cross is { } cross)
                AddAttention(cross, place, "cross_attn", "cross_attn_o", architecture.Scale(stack));
            AddNorm(block.Feed.Before, place + "ffn_norm");
            string[] inputs = block.Feed.Gating == Gating.Apart ? ["ffn_gate", "ffn_up"] : ["ffn_up"];
            foreach (var (name, projection) in inputs.Zip(block.Feed.Inputs))
                AddLinear(projection, place + name);
            AddLinear(block.Feed.Output, place + "ffn_down");
            AddNorm(block.Feed.OnOutput, place + "post_ffw_norm");
        }

        void AddAttention(Attention attention, string place, string name, string outputName, double scale)
        {
            AddNorm(attention.Before, $"{place}{name}_norm");
            var factor = attention.Scale / scale;
            if (Math.Abs(factor - 1) < 1e-9)
                factor = 1;
            var ofQuery = attention.QueryNorm is null ? factor : 1;
            var queryRows = (long)attention.Heads * attention.HeadWidth;
            if (attention.Packing == Packing.Apart)
            {
                foreach (var (part, projection, heads, own) in (ReadOnlySpan<(string, Projection, int, double)>)[
                    ("q", attention.Inputs[0], attention.Heads, ofQuery), ("k", attention.Inputs[1], attention.KeyValueHeads, 1),
                    ("v", attention.Inputs[2], 0, 1)])
                {
                    var rows = architecture.TurnsNeighbours && heads > 0 ? RowsOfNeighbours(heads, attention.HeadWidth) : null;
                    AddLinear(projection, $"{place}{name}_{part}", rows, own, queryRows);
                }
            }
            else
            {
                var rows = attention.Packing == Packing.PerHead ? RowsOfParts(attention.Heads, attention.HeadWidth) : null;
                AddLinear(attention.Inputs[0], $"{place}{name}_qkv", rows, ofQuery, queryRows);
            }

            AddLinear(attention.Output, place + outputName);
            AddNorm(attention.QueryNorm, $"{place}{name}_q_norm", factor, attention.HeadWidth);
            AddNorm(attention.KeyNorm, $"{place}{name}_k_norm");
        }

        void AddLinear(Projection projection, string stored, GgufRows? rows = null, double factor = 1, long scaledRows = 0)
        {
            var weight = new GgufParameter(stored + ".weight", projection.Name + ".weight")
            {
                Layout = projection.Layout, Rows = rows, Factor = factor, ScaledRows = scaledRows,
            };
            all.Add(weight);
            if (projection.HasBias)
                all.Add(new(stored + ".bias", projection.Name + ".bias") { Rows = rows, Factor = factor, ScaledRows = scaledRows });
        }

        void AddNorm(Norm? norm, string stored, double factor = 1, long width = 0)
        {
            if (norm is null)
                return;
            var added = norm.Kind == Layers.NormKind.RootMeanSquareOnePlus ? 1 : 0;
            all.Add(new(stored + ".weight", norm.Name + ".weight") { Added = added, Factor = factor, ScaledRows = width });
            if (norm.HasBias)
                all.Add(new(stored + ".bias", norm.Name + ".bias"));
        }
    }

    /// <summary>
    /// The buckets of a file whose distances end at 128. A table whose distances end before gets a bucket for each distance up to there,
    /// so that llama.cpp's own buckets give the same row for every distance.
    /// </summary>
    public static int BucketsOf(RelativeBias bias) => bias.MaximumDistance == MaximumDistance ? bias.Buckets : 4 * bias.MaximumDistance;

    /// <summary>Pairs of a head's rows that are turned together, next to each other: (0, d/2, 1, d/2 + 1, ...).</summary>
    private static GgufRows RowsOfNeighbours(int heads, int width) => new(
        (long)heads * width, row => row - row % width + row % width % 2 * (width / 2) + row % width / 2);

    /// <summary>All queries, all keys, all values, of rows that have them head by head.</summary>
    private static GgufRows RowsOfParts(int heads, int width)
    {
        var ofPart = (long)heads * width;
        return new(3 * ofPart, row => (row % ofPart / width * 3 + row / ofPart) * width + row % width);
    }

    private static GgufRows? RowsOfBuckets(RelativeBias bias)
    {
        var buckets = BucketsOf(bias);
        if (buckets == bias.Buckets)
            return null;
        var wide = bias with { Buckets = buckets, MaximumDistance = MaximumDistance };
        var rows = new long[buckets]; // of buckets that no distance has, any row
        for (var offset = -MaximumDistance; offset <= MaximumDistance; offset++)
            rows[wide.Bucket(offset)] = bias.Bucket(offset);
        return new(buckets, row => rows[row]);
    }
}
