using System.Numerics;
using System.Runtime.CompilerServices;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>activation(gate) * value and its gradient, for activations of the form x sigmoid(z(x)).</summary>
internal static class GatedRows
{
    private const float TwiceRootOfTwoByPi = 1.5957691216057308f;

    /// <summary>Whether an activation has this form.</summary>
    public static bool Has(Activation activation) => activation is Activation.Silu or Activation.GeluTanh or Activation.QuickGelu;

    /// <param name="gate">[width].</param>
    /// <param name="value">[width].</param>
    /// <param name="activation">What the gate goes through.</param>
    /// <param name="target">[width].</param>
    public static void Compute(ReadOnlySpan<float> gate, ReadOnlySpan<float> value, Activation activation, Span<float> target)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(value.Length, gate.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(target.Length, gate.Length);
        var (linear, cubic) = Coefficients(activation);
        var whole = gate.Length - gate.Length % Vector<float>.Count;
        for (var i = 0; i < whole; i += Vector<float>.Count)
        {
            var x = new Vector<float>(gate[i..]);
            (x * Sigmoid(x, linear, cubic, out _) * new Vector<float>(value[i..])).CopyTo(target[i..]);
        }

        if (whole == gate.Length)
            return;
        var last = Padded(gate[whole..]);
        Store(last * Sigmoid(last, linear, cubic, out _) * Padded(value[whole..]), target[whole..]);
    }

    /// <param name="gate">[width].</param>
    /// <param name="value">[width].</param>
    /// <param name="above">The gradient of the product: [width].</param>
    /// <param name="activation">What the gate goes through.</param>
    /// <param name="ofGate">Takes the gradient of the gate; may be none of the others.</param>
    /// <param name="ofValue">Takes the gradient of the value; may be none of the others.</param>
    public static void Gradients(
        ReadOnlySpan<float> gate, ReadOnlySpan<float> value, ReadOnlySpan<float> above, Activation activation, Span<float> ofGate,
        Span<float> ofValue)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(value.Length, gate.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(above.Length, gate.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(ofGate.Length, gate.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(ofValue.Length, gate.Length);
        var (linear, cubic) = Coefficients(activation);
        var whole = gate.Length - gate.Length % Vector<float>.Count;
        Vector<float> first, second;
        for (var i = 0; i < whole; i += Vector<float>.Count)
        {
            (first, second) = Gradients(
                new Vector<float>(gate[i..]), new Vector<float>(value[i..]), new Vector<float>(above[i..]), linear, cubic);
            first.CopyTo(ofGate[i..]);
            second.CopyTo(ofValue[i..]);
        }

        if (whole == gate.Length)
            return;
        (first, second) = Gradients(Padded(gate[whole..]), Padded(value[whole..]), Padded(above[whole..]), linear, cubic);
        Store(first, ofGate[whole..]);
        Store(second, ofValue[whole..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector<float> OfGate, Vector<float> OfValue) Gradients(
        Vector<float> x, Vector<float> value, Vector<float> above, float linear, float cubic)
    {
        // with s = sigmoid(z), y = x s: y' = s + x s (1 - s) z'
        var sigmoid = Sigmoid(x, linear, cubic, out var slope);
        var y = x * sigmoid;
        return (above * value * (sigmoid + y * (Vector<float>.One - sigmoid) * slope), above * y);
    }

    /// <summary>sigmoid(z) with z = linear x + cubic x^3, and the slope of z.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Sigmoid(Vector<float> x, float linear, float cubic, out Vector<float> slope)
    {
        var square = x * x;
        slope = square * (3 * cubic) + new Vector<float>(linear);
        var z = x * (square * cubic + new Vector<float>(linear));
        return Vector<float>.One / (Vector<float>.One + VectorFunctions.Exp(-z));
    }

    /// <summary>Fewer numbers than a vector has, and zeros.</summary>
    private static Vector<float> Padded(ReadOnlySpan<float> source)
    {
        Span<float> whole = stackalloc float[Vector<float>.Count];
        whole.Clear();
        source.CopyTo(whole);
        return new Vector<float>(whole);
    }

    private static void Store(Vector<float> vector, Span<float> target)
    {
        Span<float> whole = stackalloc float[Vector<float>.Count];
        vector.CopyTo(whole);
        whole[..target.Length].CopyTo(target);
    }

    private static (float Linear, float Cubic) Coefficients(Activation activation) => activation switch
    {
        Activation.Silu => (1, 0),
        Activation.QuickGelu => (1.702f, 0),
        Activation.GeluTanh => (TwiceRootOfTwoByPi, 0.044715f * TwiceRootOfTwoByPi),
        _ => throw new ArgumentOutOfRangeException(nameof(activation)),
    };
}
