using MLTransfer.Onnx.Graphs;

namespace MLTransfer.Onnx.Writing.Speech;

/// <summary>From the prior's latent variables to samples: the flow of a VITS, reversed, and its decoder.</summary>
internal sealed class LatentNodes(SpeechNodes nodes)
{
    private readonly GraphBuilder _graph = nodes.Graph;

    /// <summary>[N, latent width, frames] to the same shape.</summary>
    /// <param name="latents">Of the prior.</param>
    /// <param name="mask">[N, 1, frames].</param>
    /// <param name="speaker">[N, speaker width, 1]; null for none.</param>
    public Value ReverseFlow(Value latents, Value mask, Value? speaker)
    {
        long width = nodes.Sizes.LatentWidth, half = width / 2;
        long[] reversed = [.. Enumerable.Range(0, (int)width).Select(channel => width - 1 - channel)];
        for (var flow = nodes.Sizes.Flows - 1; flow >= 0; flow--)
        {
            var name = $"flow.flows.{flow}";
            _graph.EnterScope("/" + name.Replace('.', '/'));
            latents = _graph.Node("Gather", [latents, _graph.Constant(reversed)], ("axis", 1L));
            var (first, second) = (nodes.Slice(latents, 1, 0, half), nodes.Slice(latents, 1, half, width));
            var hidden = _graph.Product(nodes.Convolve($"{name}.conv_pre", first), mask);
            var shift = _graph.Product(nodes.Convolve($"{name}.conv_post", WaveNet($"{name}.wavenet", hidden, mask, speaker)), mask);
            latents = _graph.Concatenate(1, first, _graph.Product(nodes.Difference(second, shift), mask));
        }

        return _graph.Product(latents, mask);
    }

    /// <summary>[N, latent width, frames] to [N, samples].</summary>
    public Value Decode(Value latents, Value? speaker)
    {
        var sizes = nodes.Sizes;
        _graph.EnterScope("/decoder");
        var hidden = nodes.Convolve("decoder.conv_pre", latents);
        if (speaker is not null)
            hidden = _graph.Sum(hidden, nodes.Convolve("decoder.cond", speaker));
        for (var stage = 0; stage < sizes.Upsampling.Length; stage++)
        {
            _graph.EnterScope($"/decoder/stage.{stage}");
            hidden = nodes.ConvolveTransposed(
                $"decoder.upsampler.{stage}", nodes.LeakyRelu(hidden, sizes.LeakySlope), sizes.Upsampling[stage].Rate);
            var blocks = sizes.ResidualBlocks.Select((block, number) => Block(
                $"decoder.resblocks.{stage * sizes.ResidualBlocks.Length + number}", hidden, block.Dilations)).ToList();
            hidden = nodes.Quotient(blocks.Aggregate(_graph.Sum), nodes.Number(blocks.Count));
        }

        _graph.EnterScope("/decoder");
        var samples = nodes.Convolve("decoder.conv_post", nodes.LeakyRelu(hidden, Torch.Networks.Vits.WaveformDecoder.LastSlope));
        return _graph.Node("Squeeze", [_graph.Node("Tanh", [samples]), _graph.Constant([1])]);
    }

    private Value Block(string name, Value x, IReadOnlyList<int> dilations)
    {
        foreach (var (pair, dilation) in dilations.Index())
        {
            var inner = nodes.Convolve($"{name}.convs1.{pair}", nodes.LeakyRelu(x, nodes.Sizes.LeakySlope), dilation);
            x = _graph.Sum(x, nodes.Convolve($"{name}.convs2.{pair}", nodes.LeakyRelu(inner, nodes.Sizes.LeakySlope)));
        }

        return x;
    }

    /// <summary>[N, width, frames] to the same shape.</summary>
    private Value WaveNet(string name, Value x, Value mask, Value? speaker)
    {
        var (width, layers) = (nodes.Sizes.HiddenWidth, nodes.Sizes.FlowLayers);
        var conditions = speaker is null ? null : nodes.Convolve($"{name}.cond_layer", speaker); // [N, layers x 2 width, 1]
        Value? skipped = null;
        for (var (layer, dilation) = (0, 1); layer < layers; layer++, dilation *= nodes.Sizes.WaveNetDilationRate)
        {
            var gated = nodes.Convolve($"{name}.in_layers.{layer}", x, dilation);
            if (conditions is not null)
                gated = _graph.Sum(gated, nodes.Slice(conditions, 1, 2L * width * layer, 2L * width * (layer + 1)));
            var result = nodes.Convolve($"{name}.res_skip_layers.{layer}", _graph.Product(
                _graph.Node("Tanh", [nodes.Slice(gated, 1, 0, width)]), _graph.Node("Sigmoid", [nodes.Slice(gated, 1, width, 2 * width)])));
            if (layer < layers - 1)
            {
                x = _graph.Product(_graph.Sum(x, nodes.Slice(result, 1, 0, width)), mask);
                result = nodes.Slice(result, 1, width, 2 * width);
            }

            skipped = skipped is null ? result : _graph.Sum(skipped, result);
        }

        return _graph.Product(skipped!, mask);
    }
}
