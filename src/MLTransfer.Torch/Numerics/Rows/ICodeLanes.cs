namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>
/// Vectors of 32-bit lanes, one output a lane: four codes of 4 bits in bytes, or a sum of their products with signed bytes, so that a
/// kernel is written once for all widths and for plain numbers, its scalar twin. Sums are exact, however they are kept.
/// </summary>
/// <typeparam name="TVector">Integers.</typeparam>
/// <typeparam name="TFloats">As many float32 numbers.</typeparam>
internal unsafe interface ICodeLanes<TVector, TFloats>
    where TVector : unmanaged
    where TFloats : unmanaged
{
    /// <summary>The lanes of a vector.</summary>
    static abstract int Count { get; }

    /// <summary>The most rows that are computed together: as many as there are registers for.</summary>
    static abstract int WidestGroup { get; }

    /// <summary>4 * <see cref="Count"/> bytes.</summary>
    static abstract TVector Load(byte* source);

    /// <summary>The lower 4 bits of each byte.</summary>
    static abstract TVector LowCodes(TVector bytes);

    /// <summary>The upper 4 bits of each byte.</summary>
    static abstract TVector HighCodes(TVector bytes);

    /// <summary>
    /// sums + codes * values; at most eight such products may be added to zero before <see cref="Total"/> is taken of the sums.
    /// </summary>
    /// <param name="codes">Bytes from 0 to 15.</param>
    /// <param name="values">Four signed bytes but -128, the same for all lanes.</param>
    /// <param name="sums">Of products so far.</param>
    static abstract TVector AddProducts(TVector codes, int values, TVector sums);

    /// <summary>The sums of two vectors of products that are eight together.</summary>
    static abstract TVector Add(TVector left, TVector right);

    /// <summary>The sum of each lane's products, plus an offset.</summary>
    static abstract TFloats Total(TVector sums, int offset);

    /// <summary>The bfloat16 numbers in lower halves of lanes.</summary>
    static abstract TFloats LowScales(TVector words);

    /// <summary>The bfloat16 numbers in upper halves of lanes.</summary>
    static abstract TFloats HighScales(TVector words);

    /// <summary>sums + totals * (scales * scale), multiplied and added as lanes of float32 are.</summary>
    static abstract TFloats AddScaled(TFloats totals, TFloats scales, float scale, TFloats sums);

    /// <summary>Writes sums.</summary>
    static abstract void Store(TFloats sums, float* target);

    /// <summary>target = activation(sums + bias), or target += that, for up to a tile's outputs.</summary>
    static abstract void Finish(float* sums, float* bias, Activation activation, bool accumulate, float* target, int count);
}
