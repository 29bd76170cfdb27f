using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Gguf;

/// <summary>Refuses networks of which llama.cpp would compute something else.</summary>
internal static class GgufSupport
{
    /// <summary>Looks through a description.</summary>
    /// <exception cref="NotSupportedException">Something in it has no place in a file of the architecture; the message names
    /// it.</exception>
    public static void Check(Transformer transformer, GgufArchitecture architecture)
    {
        Refuse(transformer.Decoder is null, "an encoder without a decoder");
        Refuse(transformer.Output.Heads.Length != 1, "several heads");
        foreach (var stack in transformer.Stacks)
        {
            var (input, first) = (stack.Input, stack.Blocks[0]);
            Refuse(
                input.Tables.Length != 1 || input.Projection is not null || input.Types is not null || input.Norm is not null,
                "an input that is more than a table of tokens");
            Refuse(
                input.Positions is not (null or LearnedPositions { Offset: 0, Counting: PositionCounting.Columns }),
                "positions that are not counted from 0");
            Refuse(stack.Final is null, "no norm behind the last block");
            for (var layer = 0; layer < stack.Blocks.Length; layer++)
            {
                CheckBlock(stack.Blocks[layer]);
                Refuse(
                    !IsAlike(stack.Blocks[layer], first), "blocks that differ in their sizes");
                Refuse(
                    architecture.Slides is { } slides
                        && slides(layer, architecture.WindowPattern(stack)) != stack.Blocks[layer].Self.Window is not null,
                    "layers with windows (layer_types) in another order than llama.cpp has them");
            }
        }

        var head = transformer.Output.Heads[0];
        Refuse(head.Bias is not null || head.Projection is not null || head.Transform is not null, "a head that is more than a matrix");
        Refuse(head.SoftCap is not null && !architecture.CapsScores, "a soft cap of logits (final_logit_softcapping)");
        architecture.Check(transformer, Refuse);

        void CheckBlock(Block block)
        {
            Refuse(
                !architecture.Activations.Contains(block.Feed.Activation),
                $"the activation {block.Feed.Activation} (expected {string.Join(" or ", architecture.Activations)})");
            Refuse(block.Self.SoftCap is not null && !architecture.CapsScores, "a soft cap of scores (attn_logit_softcapping)");
            RefuseBias(block.Self.Inputs, GgufBiases.Inputs, "queries, keys and values");
            RefuseBias([block.Self.Output], GgufBiases.Output, "attention's output");
            RefuseBias([.. block.Feed.Inputs, block.Feed.Output], GgufBiases.Feed, "feed-forward layers");
            Refuse(
                block.Self.Bias is { MaximumDistance: > GgufParameters.MaximumDistance },
                $"relative positions (relative_attention_max_distance) beyond {GgufParameters.MaximumDistance}");
            if (block.Self.Rotary is not { } rotary)
                return;
            Refuse(rotary.Pairing != Pairing.Halves, "a rotation of neighbours");
            Refuse(rotary.Width != block.Self.HeadWidth && !architecture.TurnsParts,
                "heads that are turned in part (partial_rotary_factor)");
            Refuse(
                rotary.Scaling is { } scaling and not DynamicScaling && !architecture.Scalings.Contains(scaling.GetType()),
                $"the scaling {rotary.Scaling?.GetType().Name} of rotations (rope_scaling)");
            Refuse(rotary.Scaling is DynamicScaling, "a base of rotations that depends on a text's length (rope_scaling of type dynamic)");
            Refuse(
                GgufConstants.TellsDivisors(rotary.Scaling) && !architecture.TakesDivisors,
                "another ramp of YaRN than llama.cpp's (rope_scaling: beta_fast, beta_slow, truncate)");
        }

        void RefuseBias(IEnumerable<Projection> projections, GgufBiases place, string of) =>
            Refuse(projections.Any(projection => projection.HasBias) && !architecture.Biases.HasFlag(place), $"biases of {of}");

        void Refuse(bool has, string what)
        {
            if (has)
                throw new NotSupportedException(
                    $"The model has {what}, which files of llama.cpp's architecture '{architecture.Name}' cannot tell.");
        }
    }

    private static bool IsAlike(Block a, Block b) => (a.Self.Heads, a.Self.KeyValueHeads, a.Self.HeadWidth, a.Feed.Inner, a.Parallel)
        == (b.Self.Heads, b.Self.KeyValueHeads, b.Self.HeadWidth, b.Feed.Inner, b.Parallel);
}
