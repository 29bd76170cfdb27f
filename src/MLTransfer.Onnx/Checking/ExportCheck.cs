using System.Globalization;
using MLTransfer.Torch.Networks.Transformers;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Checking;

/// <summary>Runs a written file in ONNX Runtime, with all graph optimizations, and compares its logits with the engine's.</summary>
internal static class ExportCheck
{
    private const int PromptLength = 9;
    private const int PaddingLength = 3;
    private const int ContinuationLength = 2;

    /// <summary>The largest difference of a logit over a padded batch, read in two parts where the file takes a past.</summary>
    /// <exception cref="InvalidOperationException">ONNX Runtime does not open the file, or computes other logits than the engine.</exception>
    public static double Compare(string path, string name, CausalLanguageModel model, OnnxPrecision precision)
    {
        var wasTraining = model.training;
        model.eval();
        try
        {
            using var gradients = no_grad();
            using var scope = NewDisposeScope();
            using var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL };
            using var session = new OnnxModelSession(path, options);
            return Compare(session, name, model, precision);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new InvalidOperationException($"ONNX Runtime does not run the exported {name}: {exception.Message}", exception);
        }
        finally
        {
            model.train(wasTraining);
        }
    }

    private static double Compare(OnnxModelSession session, string name, CausalLanguageModel model, OnnxPrecision precision)
    {
        // Two rows of arbitrary tokens, the second padded on the left.
        var continuation = session.HasPast ? ContinuationLength : 0;
        var length = Math.Min(PromptLength + continuation, model.ContextLength);
        var padding = Math.Min(PaddingLength, length - 1);
        continuation = Math.Min(continuation, length - padding - 1);
        var ids = new long[2, length];
        var mask = new long[2, length];
        var positions = new long[2, length];
        for (var row = 0; row < 2; row++)
        {
            for (var i = 0; i < length; i++)
            {
                ids[row, i] = (1 + 7919L * (i + 1) * (row + 1)) % model.VocabularySize;
                mask[row, i] = row == 1 && i < padding ? 0 : 1;
                positions[row, i] = row == 1 ? Math.Max(0, i - padding) : i;
            }
        }

        var (idTensor, maskTensor, positionTensor) = (tensor(ids).to(model.Device), tensor(mask).to(model.Device), tensor(positions).to(model.Device));
        var expected = model.Forward(new ModelInput(idTensor) { AttentionMask = maskTensor, PositionIds = positionTensor }).to(ScalarType.Float32, CPU);

        var prompt = length - continuation;
        var parts = new List<Tensor> { session.Run(idTensor.narrow(1, 0, prompt), maskTensor.narrow(1, 0, prompt), positionTensor.narrow(1, 0, prompt)) };
        if (continuation > 0)
            parts.Add(session.Run(idTensor.narrow(1, prompt, continuation), maskTensor, positionTensor.narrow(1, prompt, continuation)));
        var actual = cat(parts, 1);                                              // [2, length, vocabulary]

        var real = tensor(mask).to(ScalarType.Bool);
        var (wanted, found) = (expected[real], actual[real]);                    // [tokens, vocabulary]
        var largest = (found - wanted).abs().max().ToDouble();
        var error = Error(precision, model.DataType, wanted, found);
        var bound = Bound(precision, model.DataType);
        if (!(error <= bound)) // NaN fails too
        {
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
                $"The exported {name} ({precision}) computes other logits than the engine: the error is {error:0.000e+0}, at most {bound:0.0e+0} was expected; "
                + $"the largest difference of a logit is {largest:0.000e+0}."));
        }

        return largest;
    }

    /// <summary>The largest difference in units of the largest logit; where numbers are rounded, that of their spread over the vocabulary.</summary>
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
