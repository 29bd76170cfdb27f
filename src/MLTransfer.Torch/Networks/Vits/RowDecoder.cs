using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>
/// A <see cref="WaveformDecoder"/> on row kernels: sequences lie step by step, and residual blocks take fewer products than taps.
/// </summary>
internal static unsafe class RowDecoder
{
    /// <summary>Whether row kernels compute a decoder's output of these.</summary>
    public static bool Computes(WaveformDecoder decoder, Tensor latents) => !decoder.training && !is_grad_enabled()
        && latents.dtype == ScalarType.Float32 && latents.device_type == TorchSharp.DeviceType.CPU;

    /// <summary>[latent width, T] to [1, samples].</summary>
    /// <param name="decoder">The weights.</param>
    /// <param name="latents">The latent variables of a row.</param>
    /// <param name="condition">What a speaker adds to each step after the first convolution: [width]; null for none.</param>
    public static Tensor Run(WaveformDecoder decoder, Tensor latents, Tensor? condition)
    {
        using var scope = NewDisposeScope();
        var hidden = Input(decoder, latents, condition); // [T, width], rectified
        var last = decoder.Stages.Count - 1;
        foreach (var (index, (upsampling, blocks)) in decoder.Stages.Index())
        {
            var next = index == last
                ? Stage(upsampling, blocks, hidden, decoder.LeakySlope, WaveformDecoder.LastSlope, OutputRoom(decoder.Output))
                : Stage(
                    upsampling, blocks, hidden, decoder.LeakySlope, decoder.LeakySlope,
                    UpsamplingRoom(decoder.Stages[index + 1].Upsampling));
            hidden.Dispose();
            hidden = next;
        }

        var output = empty([hidden.Steps], ScalarType.Float32);
        var kernel = decoder.Output.Kernel;
        var weight = decoder.Output.Packed(static weight => weight.permute(0, 2, 1).flatten(1).contiguous()); // [1, kernel x width]
        hidden.Pad(kernel / 2, kernel / 2, TorchSharp.PaddingModes.Constant);
        RowConvolution.ComputeFew(
            hidden[-(kernel / 2)], hidden.Channels, weight, hidden.Steps, zeros(1), (float*)NativeTensor.Pointer(output));
        GC.KeepAlive(weight);
        hidden.Dispose();
        return output.tanh_().unsqueeze(0).MoveToOuterDisposeScope();
    }

    private static RowSequence Input(WaveformDecoder decoder, Tensor latents, Tensor? condition)
    {
        var layer = decoder.Input;
        var (channels, steps) = ((int)latents.shape[0], (int)latents.shape[1]);
        var bias = condition is null ? layer.Bias! : layer.Bias! + condition;
        using var source = new RowSequence(steps, channels, new RowRoom(layer.Kernel / 2, layer.Kernel / 2 + RowConvolution.SpareRows));
        source.View().copy_(latents.t());
        source.Pad(layer.Kernel / 2, layer.Kernel / 2, TorchSharp.PaddingModes.Constant);
        var packed = layer.Packed(static weight => RowConvolution.Pack(weight.permute(2, 1, 0).reshape(1, -1, weight.shape[0])));
        var result = new RowSequence(steps, (int)bias.numel(), UpsamplingRoom(decoder.Stages[0].Upsampling));
        RowConvolution.Compute(
            [new((nint)source[-(layer.Kernel / 2)], channels, layer.Kernel * channels, (nint)NativeTensor.Pointer(packed))],
            steps, bias, addend: null, result[0], activated: null);
        GC.KeepAlive(packed);
        Rectify(result, decoder.LeakySlope);
        return result;
    }

    /// <summary>An upsampling of what is rectified, the mean of residual blocks, and a rectifier.</summary>
    private static RowSequence Stage(
        TransposedConvolution upsampling, IReadOnlyList<ResidualBlock> blocks, RowSequence input, double slope, double lastSlope,
        RowRoom roomAfter)
    {
        using var scope = NewDisposeScope();
        using var plain = Upsample(upsampling, input);
        var (steps, channels) = (plain.Steps, plain.Channels);
        var room = Room(blocks, steps);
        using var rectified = new RowSequence(steps, channels, room);
        rectified.View().copy_(F.leaky_relu(plain.View(), slope));
        using var inner = new RowSequence(steps, channels, room);
        using var sum = new RowSequence(steps, channels, default);
        using var blockPlain = new RowSequence(steps, channels, default);
        using var blockRectified = new RowSequence(steps, channels, room);
        foreach (var sequence in (RowSequence[])[rectified, inner, blockRectified])
            sequence.Pad(room.Before, room.After, TorchSharp.PaddingModes.Constant);
        foreach (var (number, block) in blocks.Index())
        {
            var (current, currentRectified) = (plain, rectified);
            foreach (var (index, (dilated, undilated)) in block.Pairs.Index())
            {
                Convolve(dilated, currentRectified, new WinogradTarget { Activated = inner[0], Slope = (float)slope });
                var isLast = index == block.Pairs.Count - 1;
                Convolve(undilated, inner, new WinogradTarget
                {
                    Addend = current[0],
                    SecondAddend = isLast && number > 0 ? sum[0] : null,
                    Plain = isLast ? sum[0] : blockPlain[0],
                    Activated = isLast ? null : blockRectified[0],
                    Slope = (float)slope,
                });
                (current, currentRectified) = (blockPlain, blockRectified);
            }
        }

        var result = new RowSequence(steps, channels, roomAfter);
        result.View().copy_(sum.View().div_(blocks.Count));
        Rectify(result, lastSlope);
        return result;
    }

    private static RowSequence Upsample(TransposedConvolution layer, RowSequence input)
    {
        // A row is a stride of outputs, to which some steps of the input contribute, the last of them first.
        var reach = (layer.Kernel + layer.Rate - 1) / layer.Rate;
        var rows = input.Steps + reach - 1;
        var steps = (input.Steps - 1) * layer.Rate - 2 * layer.Padding + layer.Kernel;
        var packed = layer.Packed(weight =>
        {
            var taps = F.pad(weight, (0, reach * layer.Rate - layer.Kernel)).permute(0, 2, 1); // [input, taps, output]
            var parts = Enumerable.Range(0, reach).Reverse()
                .Select(part => taps.narrow(1, part * layer.Rate, layer.Rate).flatten(1)).ToList();
            return RowConvolution.Pack(cat(parts, 0).unsqueeze(0));
        });
        var overhang = new RowRoom(layer.Padding, rows * layer.Rate - layer.Padding - steps);
        var output = new RowSequence(steps, (int)layer.Bias.numel(), overhang);
        input.Pad(reach - 1, reach - 1, TorchSharp.PaddingModes.Constant);
        RowConvolution.Compute(
            [new((nint)input[1 - reach], input.Channels, reach * input.Channels, (nint)NativeTensor.Pointer(packed))],
            rows, layer.Bias.repeat(layer.Rate), addend: null, output[-layer.Padding], activated: null);
        GC.KeepAlive(packed);
        return output;
    }

    private static void Convolve(TimeConvolution layer, RowSequence input, in WinogradTarget target)
    {
        var packed = layer.Packed(WinogradConvolution.Pack);
        WinogradConvolution.Compute(input[0], input.Steps, input.Channels, packed, layer.Kernel, layer.Dilation, layer.Bias!, target);
        GC.KeepAlive(packed);
    }

    private static void Rectify(RowSequence sequence, double slope)
    {
        using var view = sequence.View();
        using var rectified = F.leaky_relu(view, slope);
        view.copy_(rectified);
    }

    /// <summary>What an upsampling reads beside its input.</summary>
    private static RowRoom UpsamplingRoom(TransposedConvolution layer)
    {
        var reach = (layer.Kernel + layer.Rate - 1) / layer.Rate;
        return new RowRoom(reach, reach + RowConvolution.SpareRows);
    }

    /// <summary>What the last convolution reads beside its input.</summary>
    private static RowRoom OutputRoom(TimeConvolution layer) => new(layer.Kernel / 2, layer.Kernel / 2);

    /// <summary>What the convolutions of residual blocks read beside their inputs.</summary>
    private static RowRoom Room(IReadOnlyList<ResidualBlock> blocks, int steps)
    {
        var room = default(RowRoom);
        foreach (var layer in blocks.SelectMany(block => block.Pairs).SelectMany(pair => (TimeConvolution[])[pair.Dilated, pair.Plain]))
        {
            var (before, after) = WinogradConvolution.Room(steps, layer.Kernel, layer.Dilation);
            room = room.Or(new RowRoom(before, after));
        }

        return room;
    }
}
