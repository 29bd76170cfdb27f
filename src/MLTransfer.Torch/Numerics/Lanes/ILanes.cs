namespace MLTransfer.Torch.Numerics.Lanes;

/// <summary>
/// Float32 vectors of one width, so that a kernel is written once for all of them and for plain numbers, its scalar twin.
/// </summary>
/// <remarks>
/// Matrices are read in pairs of vectors. A pair of float32 is two neighbours. A pair of bfloat16 or float16 comes from one load of
/// neighbours in twos: the even ones and the odd ones, since both widen in place then; <see cref="Interleave"/> restores the order.
/// </remarks>
/// <typeparam name="TVector">The vector.</typeparam>
internal unsafe interface ILanes<TVector>
    where TVector : unmanaged
{
    /// <summary>The numbers in a vector.</summary>
    static abstract int Count { get; }

    static abstract TVector Broadcast(float value);

    static abstract TVector Load(float* source);

    static abstract void Store(TVector vector, float* target);

    /// <summary>The pair of 2 * <see cref="Count"/> bfloat16 numbers: the even and the odd ones.</summary>
    static abstract void Widen(ushort* source, out TVector even, out TVector odd);

    /// <summary>The pair of 2 * <see cref="Count"/> float16 numbers: the even and the odd ones.</summary>
    static abstract void Widen(Half* source, out TVector even, out TVector odd);

    /// <summary>Even and odd numbers to neighbours.</summary>
    static abstract void Interleave(ref TVector even, ref TVector odd);

    static abstract TVector Add(TVector left, TVector right);

    static abstract TVector Multiply(TVector left, TVector right);

    static abstract TVector Divide(TVector left, TVector right);

    /// <summary>left * right + addend, rounded once where the processor can.</summary>
    static abstract TVector MultiplyAdd(TVector left, TVector right, TVector addend);

    static abstract TVector Max(TVector left, TVector right);

    /// <summary>Where left is less than right the one, elsewhere the other.</summary>
    static abstract TVector SelectLess(TVector left, TVector right, TVector ifLess, TVector otherwise);

    static abstract TVector Exp(TVector vector);

    /// <summary>2 to the power of whole numbers from -126 to 127.</summary>
    static abstract TVector PowerOfTwo(TVector exponent);

    static abstract float Sum(TVector vector);

    /// <summary>The <see cref="Sum"/> of each of eight vectors, to eight neighbours.</summary>
    static abstract void SumEight(
        TVector a, TVector b, TVector c, TVector d, TVector e, TVector f, TVector g, TVector h, float* sums);

    static abstract float Largest(TVector vector);
}
