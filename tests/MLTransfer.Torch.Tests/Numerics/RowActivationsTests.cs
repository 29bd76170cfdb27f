using System.Runtime.Intrinsics;
using FsCheck.Xunit;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Numerics.Lanes;
using MLTransfer.Torch.Numerics.Rows;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Numerics;

public class RowActivationsTests
{
    private static readonly Activation[] s_ofRows = [.. Enum.GetValues<Activation>().Except([Activation.Softmax])];

    /// <summary>What a result may be off, relative to itself; a few units in the last place.</summary>
    private const double Tolerance = 6e-7;

    /// <summary>The end of the normal numbers of float32 and some more: what an exponential may flush to zero.</summary>
    private const double Vanishing = 1e-36;

    [Fact]
    internal void Every_vector_width_computes_every_activation_to_float32_rounding()
    {
        using var scope = NewDisposeScope();
        foreach (var activation in s_ofRows)
        {
            var points = Points();
            var expected = Formula(activation, points);
            Check<ScalarLanes, float>(activation, points, expected);
            Check<Lanes128, Vector128<float>>(activation, points, expected);
            Check<Lanes256, Vector256<float>>(activation, points, expected);
            Check<Lanes512, Vector512<float>>(activation, points, expected);
        }
    }

    [Fact]
    internal void Activations_keep_what_is_not_a_number_and_have_their_limits_at_infinity()
    {
        foreach (var activation in s_ofRows)
        {
            Assert.True(float.IsNaN(Apply<Lanes512, Vector512<float>>(activation, [float.NaN])[0]), activation.ToString());
            var at = Apply<Lanes512, Vector512<float>>(activation, [float.PositiveInfinity])[0];
            Assert.Equal(activation is Activation.Tanh or Activation.Sigmoid ? 1 : float.PositiveInfinity, at);
        }

        Assert.Equal(0, Apply<Lanes512, Vector512<float>>(Activation.Gelu, [float.NegativeInfinity])[0]);
        Assert.Equal(-1, Apply<Lanes512, Vector512<float>>(Activation.Tanh, [float.NegativeInfinity])[0]);
        Assert.Equal(0, Apply<Lanes512, Vector512<float>>(Activation.Sigmoid, [float.NegativeInfinity])[0]);
    }

    [Property(MaxTest = 80)]
    public void Gates_are_the_activation_times_the_value_wherever_they_lie(ushort seed)
    {
        var random = new Random(seed);
        var (rows, width, gap) = (random.Next(1, 5), random.Next(1, 100), random.Next(0, 3));
        var activation = s_ofRows[random.Next(s_ofRows.Length)];
        var packed = new float[rows * (2 * width + gap)]; // [rows, gate | gap | up]
        foreach (ref var value in packed.AsSpan())
            value = 8 * random.NextSingle() - 4;
        Check<ScalarLanes, float>();
        Check<Lanes128, Vector128<float>>();
        Check<Lanes256, Vector256<float>>();
        Check<Lanes512, Vector512<float>>();

        void Check<TLanes, TVector>()
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var expected = new List<float>();
            for (var row = 0; row < rows; row++)
            {
                var its = packed.AsSpan(row * (2 * width + gap), 2 * width + gap);
                var gate = Apply<TLanes, TVector>(activation, its[..width].ToArray());
                for (var i = 0; i < width; i++)
                    expected.Add(gate[i] * its[width + gap + i]);
            }

            var apart = new float[rows * width];
            var buffer = packed.ToArray();
            var (gates, values) = (0, width + gap);
            RowActivations.Gate<TLanes, TVector>(
                RowSlices.Within(buffer, rows, gates, 1, width), RowSlices.Within(buffer, rows, values, 1, width), activation,
                new(apart, rows, 1, width));
            RowProductTests.AssertClose([.. expected], apart, 1e-6f); // ends of rows are single numbers, at other places
            RowActivations.Gate<TLanes, TVector>(
                RowSlices.Within(buffer, rows, gates, 1, width), RowSlices.Within(buffer, rows, values, 1, width), activation,
                RowSlices.Within(buffer, rows, gates, 1, width));
            var inPlace = RowSlices.Within(buffer, rows, gates, 1, width);
            for (var row = 0; row < rows; row++)
                Assert.Equal(apart.AsSpan(row * width, width), inPlace[row, 0]);
        }
    }

    private static float[] Points()
    {
        var random = new Random(5);
        var points = new List<float> { 0, -0f, 0.625f, -0.625f, 1e-30f, -1e-30f, 40, -40, 1e18f, -1e18f };
        for (var i = 0; i < 6000; i++)
            points.Add((2 * random.NextSingle() - 1) * MathF.Pow(10, 6 * random.NextSingle() - 4.5f)); // up to 30, small ones often
        return [.. points];
    }

    private static double[] Formula(Activation activation, float[] points)
    {
        var x = tensor(points.Select(value => (double)value).ToArray());
        var result = activation switch
        {
            Activation.None => x,
            Activation.Gelu => x * special.erfc(-x / Math.Sqrt(2)) / 2,
            Activation.GeluTanh => x * sigmoid(2 * Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x.pow(3))),
            Activation.QuickGelu => x * sigmoid(1.702 * x),
            Activation.Silu => x * sigmoid(x),
            Activation.Relu => nn.functional.relu(x),
            Activation.LeakyRelu => nn.functional.leaky_relu(x, 0.01),
            Activation.SquaredRelu => nn.functional.relu(x).pow(2),
            Activation.Tanh => tanh(x),
            Activation.Sigmoid => sigmoid(x),
            _ => throw new ArgumentOutOfRangeException(nameof(activation)),
        };
        return result.data<double>().ToArray();
    }

    private static void Check<TLanes, TVector>(Activation activation, float[] points, double[] expected)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var actual = Apply<TLanes, TVector>(activation, points);
        for (var i = 0; i < points.Length; i++)
        {
            // A relative error of an exponential's argument is an absolute one of its exponent.
            var exponent = activation switch
            {
                Activation.GeluTanh => Math.Abs(1.6 * points[i] * (1 + 0.044715 * Math.Pow(points[i], 2))),
                Activation.QuickGelu => Math.Abs(1.702 * points[i]),
                _ => 0,
            };
            var allowed = Math.Abs(expected[i]) * Math.Min(Tolerance + exponent * 2e-7, 1) + Vanishing;
            if (!(Math.Abs(expected[i] - actual[i]) <= allowed))
                Assert.Fail($"{typeof(TLanes).Name}: {activation}({points[i]}) is {actual[i]}, expected {expected[i]}");
        }
    }

    private static unsafe float[] Apply<TLanes, TVector>(Activation activation, float[] points)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var actual = new float[points.Length];
        fixed (float* source = points, target = actual)
            RowKernels<TLanes, TVector, float>.Finish(source, null, activation, accumulate: false, target, points.Length);
        return actual;
    }
}
