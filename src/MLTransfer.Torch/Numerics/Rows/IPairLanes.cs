namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>
/// Vectors of 32-bit lanes that hold pairs of 16-bit integers or their sums of products, one output a lane, so that a kernel is written
/// once for all widths and for plain numbers, its scalar twin.
/// </summary>
/// <typeparam name="TVector">The vector.</typeparam>
internal unsafe interface IPairLanes<TVector>
    where TVector : unmanaged
{
    /// <summary>The lanes of a vector.</summary>
    static abstract int Count { get; }

    /// <summary>One pair in all lanes.</summary>
    static abstract TVector Broadcast(int pair);

    /// <summary>2 * <see cref="Count"/> bytes with signs as pairs.</summary>
    static abstract TVector Widen(sbyte* source);

    /// <summary>sums + first * first + second * second of each lane's pairs.</summary>
    static abstract TVector AddProducts(TVector left, TVector right, TVector sums);

    /// <summary>target += sums * factor in float32.</summary>
    static abstract void AddScaled(TVector sums, float factor, float* target);

    /// <summary>target = activation(sums * scales + bias), or target += that, for up to a tile's outputs.</summary>
    static abstract void Finish(float* sums, float* scales, float* bias, Activation activation, bool accumulate, float* target, int count);
}
