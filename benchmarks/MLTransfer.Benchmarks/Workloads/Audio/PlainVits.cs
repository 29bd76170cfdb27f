using MLTransfer.Torch.Networks.Vits;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Benchmarks.Workloads.Audio;

/// <summary>
/// A VITS of TorchSharp's own operators, with the weights of another. Text encoder, durations and flow are the other's modules, which are
/// made of those operators; the decoder, where nearly all of the time goes, is written out.
/// </summary>
internal sealed class PlainVits(VitsModel source)
{
    private readonly Dictionary<string, Tensor> _weights = source.CheckpointTensors().ToDictionary(t => t.Key, t => t.Value.detach());

    public Tensor Speak(VitsInput input)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var mask = ones_like(input.InputIds).to(float32).unsqueeze(1);
        var (hidden, means, _) = source.TextEncoder.Forward(input.InputIds, mask);
        var noise = zeros(1, 2, input.InputIds.shape[1]);
        var durations = (source.StochasticDurations!.Sample(hidden, mask, null, noise).exp() / input.SpeakingRate!.Value).ceil().to(int64);
        var latents = means.repeat_interleave(durations.view(-1), 2);
        latents = source.Flow.Reverse(latents, ones(1, 1, latents.shape[2]), null);
        return Decode(latents).MoveToOuterDisposeScope();
    }

    private Tensor Decode(Tensor latents)
    {
        var sizes = source.Sizes;
        var x = Convolve("conv_pre", latents);
        for (var stage = 0; stage < sizes.Upsampling.Length; stage++)
        {
            var (rate, kernel) = sizes.Upsampling[stage];
            var name = $"decoder.upsampler.{stage}";
            x = F.conv_transpose1d(
                F.leaky_relu(x, sizes.LeakySlope), _weights[name + ".weight"], _weights[name + ".bias"], stride: rate,
                padding: (kernel - rate) / 2);
            Tensor? sum = null;
            for (var block = 0; block < sizes.ResidualBlocks.Length; block++)
            {
                var part = x;
                foreach (var (pair, dilation) in sizes.ResidualBlocks[block].Dilations.Index())
                {
                    var place = $"resblocks.{stage * sizes.ResidualBlocks.Length + block}";
                    var inner = Convolve($"{place}.convs1.{pair}", F.leaky_relu(part, sizes.LeakySlope), dilation);
                    part = part + Convolve($"{place}.convs2.{pair}", F.leaky_relu(inner, sizes.LeakySlope));
                }

                sum = sum is null ? part : sum + part;
            }

            x = sum! / sizes.ResidualBlocks.Length;
        }

        return Convolve("conv_post", F.leaky_relu(x, 0.01)).tanh();
    }

    private Tensor Convolve(string name, Tensor x, int dilation = 1)
    {
        var weight = _weights[$"decoder.{name}.weight"];
        return F.conv1d(
            x, weight, _weights.GetValueOrDefault($"decoder.{name}.bias"), padding: (weight.shape[2] - 1) / 2 * dilation,
            dilation: dilation);
    }
}
