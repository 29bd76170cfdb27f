using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MLTransfer.Torch.Numerics.Lanes;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>What a step of long short-term memory does with its gates.</summary>
internal static unsafe class RecurrentGates
{
    /// <summary>cell = sigmoid(forget) cell + sigmoid(input) tanh(candidate); state = sigmoid(output) tanh(cell).</summary>
    /// <param name="gates">Input, forget, candidate and output gates before their functions: [4, width].</param>
    /// <param name="cell">[width].</param>
    /// <param name="state">[width].</param>
    public static void Apply(ReadOnlySpan<float> gates, Span<float> cell, Span<float> state)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(gates.Length, 4 * cell.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(state.Length, cell.Length);
        fixed (float* gate = gates, memory = cell, target = state)
        {
            if (Vector512.IsHardwareAccelerated)
                Apply<Lanes512, Vector512<float>>(gate, memory, target, cell.Length);
            else if (Vector256.IsHardwareAccelerated)
                Apply<Lanes256, Vector256<float>>(gate, memory, target, cell.Length);
            else
                Apply<Lanes128, Vector128<float>>(gate, memory, target, cell.Length);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply<TLanes, TVector>(float* gates, float* cell, float* state, int width)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var i = 0;
        for (; i <= width - TLanes.Count; i += TLanes.Count)
            ApplyAt<TLanes, TVector>(gates + i, cell + i, state + i, width);
        for (; i < width; i++)
            ApplyAt<ScalarLanes, float>(gates + i, cell + i, state + i, width);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ApplyAt<TLanes, TVector>(float* gates, float* cell, float* state, int width)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var kept = TLanes.Multiply(Sigmoid<TLanes, TVector>(TLanes.Load(gates + width)), TLanes.Load(cell));
        var memory = TLanes.MultiplyAdd(
            Sigmoid<TLanes, TVector>(TLanes.Load(gates)), LaneFunctions.Tanh<TLanes, TVector>(TLanes.Load(gates + 2 * width)), kept);
        TLanes.Store(memory, cell);
        TLanes.Store(
            TLanes.Multiply(Sigmoid<TLanes, TVector>(TLanes.Load(gates + 3 * width)), LaneFunctions.Tanh<TLanes, TVector>(memory)), state);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Sigmoid<TLanes, TVector>(TVector x)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var one = TLanes.Broadcast(1);
        return TLanes.Divide(one, TLanes.Add(one, TLanes.Exp(TLanes.Multiply(x, TLanes.Broadcast(-1)))));
    }
}
