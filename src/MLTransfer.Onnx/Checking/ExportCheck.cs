using System.Globalization;
using MLTransfer.Torch.Networks.Transformers;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Checking;

/// <summary>
/// Runs a written file in ONNX Runtime, with all graph optimizations, and compares what it gives with what the engine does.
/// </summary>
internal static class ExportCheck
{
    /// <summary>
    /// The largest difference of a logit, or of a hidden state where there are no logits, over a padded batch, read in two parts where the
    /// file takes a past.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="network">The network that was exported.</param>
    /// <param name="precision">The file's.</param>
    /// <param name="beginning">The file that gives the past which a decoder below an encoder takes.</param>
    /// <exception cref="InvalidOperationException">
    /// ONNX Runtime does not open the file, or computes other numbers than the engine.
    /// </exception>
    public static double Compare(string path, string name, TransformerNetwork network, OnnxPrecision precision, string? beginning = null)
    {
        var wasTraining = network.training;
        network.eval();
        try
        {
            using var gradients = no_grad();
            using var scope = NewDisposeScope();
            using var session = new OnnxModelSession(ExportedSession.Open(path, name));
            var (wanted, found) = session.Takes(OnnxModelSession.EncoderMask) ? CompareCrossDecoder(session, network, beginning)
                : session.Takes(OnnxModelSession.PositionIds) ? CompareDecoder(session, (CausalLanguageModel)network)
                : CompareEncoder(session, network);
            return Judge(name, precision, network.DataType, wanted.to(ScalarType.Float32, CPU), found);
        }
        catch (OnnxRuntimeException exception)
        {
            throw ExportedSession.NotRun(name, exception);
        }
        finally
        {
            network.train(wasTraining);
        }
    }

    private static (Tensor Wanted, Tensor Found) CompareDecoder(OnnxModelSession session, CausalLanguageModel model)
    {
        var batch = new CheckBatch(model, session.HasPast, paddingOnTheLeft: true);
        var wanted = model.Forward(new ModelInput(batch.Ids) { AttentionMask = batch.Mask, PositionIds = batch.Positions });
        Tensor[] found = [.. batch.Parts.Select(part => session.Run(
            (OnnxModelSession.InputIds, batch.Columns(batch.Ids, part)),
            (OnnxModelSession.AttentionMask, batch.ColumnsUntil(batch.Mask, part)),
            (OnnxModelSession.PositionIds, batch.Columns(batch.Positions, part))))];
        return (wanted[batch.Real], cat(found, 1)[batch.Real.cpu()]);            // [tokens, vocabulary]
    }

    private static (Tensor Wanted, Tensor Found) CompareEncoder(OnnxModelSession session, TransformerNetwork network)
    {
        var batch = new CheckBatch(network, inTwoParts: false, paddingOnTheLeft: false);
        var types = session.Takes(OnnxModelSession.TokenTypeIds) ? batch.TokenTypes : null;
        var input = new ModelInput(batch.Ids) { AttentionMask = batch.Mask, TokenTypeIds = types };
        var wanted = network switch
        {
            MaskedLanguageModel masked => masked.Output.Heads.Count > 0 ? masked.Forward(input) : masked.ComputeHiddenStates(input),
            EncoderDecoderModel both => both.Encode(input).HiddenStates,
            _ => throw new ArgumentException($"A {network.GetType().Name} is no encoder.", nameof(network)),
        };
        List<(string, Tensor)> inputs = [(OnnxModelSession.InputIds, batch.Ids), (OnnxModelSession.AttentionMask, batch.Mask)];
        if (types is not null)
            inputs.Add((OnnxModelSession.TokenTypeIds, types));
        return (wanted[batch.Real], session.Run([.. inputs])[batch.Real.cpu()]);
    }

    /// <summary>The decoder reads no padding; what the encoder gave is arbitrary, and padded.</summary>
    private static (Tensor Wanted, Tensor Found) CompareCrossDecoder(
        OnnxModelSession session, TransformerNetwork network, string? beginning)
    {
        var batch = new CheckBatch(network, session.HasPast, paddingOnTheLeft: false);
        var width = (network.Description.Encoder ?? network.Description.Decoder!).Width;
        var hidden = arange(2 * batch.Length * width, ScalarType.Float32).mul(1.7).sin().view(2, batch.Length, width);
        using var encoded = new EncodedText(hidden.to(network.DataType, network.Device), batch.Mask);
        var input = new ModelInput(batch.Ids) { Encoded = encoded };
        var wanted = network is EncoderDecoderModel both ? both.Forward(input) : ((CausalLanguageModel)network).Forward(input);

        using var first = session.HasPast ? new OnnxModelSession(ExportedSession.Open(beginning!, Path.GetFileName(beginning!))) : null;
        var found = (first ?? session).Run(
            (OnnxModelSession.InputIds, batch.Columns(batch.Ids, batch.Parts[0])),
            (OnnxModelSession.EncoderMask, batch.Mask), (OnnxModelSession.EncoderStates, hidden));
        if (first is not null)
        {
            session.TakePast(first);
            found = session.Run(
                (OnnxModelSession.InputIds, batch.Columns(batch.Ids, batch.Parts[1])), (OnnxModelSession.EncoderMask, batch.Mask));
            wanted = wanted.narrow(-2, batch.Length - found.shape[^2], found.shape[^2]);
        }

        return (wanted.flatten(0, -2), found.flatten(0, -2));
    }

    private static double Judge(string name, OnnxPrecision precision, ScalarType engine, Tensor wanted, Tensor found)
    {
        var largest = (found - wanted).abs().max().ToDouble();
        var error = Error(precision, engine, wanted, found);
        var bound = Bound(precision, engine);
        if (!(error <= bound)) // NaN fails too
        {
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
                $"The exported {name} ({precision}) computes other logits than the engine: the error is {error:0.000e+0}, "
                + $"at most {bound:0.0e+0} was expected; "
                + $"the largest difference of a logit is {largest:0.000e+0}."));
        }

        return largest;
    }

    /// <summary>The largest difference in units of the largest logit; where numbers are rounded, that of their spread over the
    /// vocabulary.</summary>
    private static double Error(OnnxPrecision precision, ScalarType engine, Tensor wanted, Tensor found)
    {
        if (precision == OnnxPrecision.Float32 && engine == ScalarType.Float32)
            return (found - wanted).abs().max().ToDouble() / Math.Max(1, wanted.abs().max().ToDouble());
        var difference = found - wanted;
        var spread = wanted - wanted.mean([1], keepdim: true);
        return Math.Sqrt(difference.pow(2).sum().ToDouble() / Math.Max(spread.pow(2).sum().ToDouble(), 1e-12));
    }

    /// <summary>What rounding explains; a wrong graph is far beyond.</summary>
    private static double Bound(OnnxPrecision precision, ScalarType engine) => precision switch
    {
        OnnxPrecision.Float32 => engine == ScalarType.Float32 ? 1e-4 : 0.1,
        OnnxPrecision.Float16 => 0.1,
        _ => 0.5,
    };
}
