namespace MLTransfer.Torch.Checkpoints.Gguf.Blocks;

/// <summary>
/// Blocks of 256 values (the "K" formats): 8 parts of 32 or 16 parts of 16, each with a scale, and in some a minimum, of few bits, which
/// numbers in float16 are multiplied with.
/// </summary>
internal static class SuperBlocks
{
    private const int Length = 256;
    private const int Half = Length / 2;

    /// <summary>Q2_K: scales and minima of 4 bits for 16 parts, codes of 2 bits, the two numbers.</summary>
    public static void DecodeQ2K(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[84..], values = values[Length..])
        {
            var (scale, minimum) = (RoundedBlocks.Half(blocks[80..]), RoundedBlocks.Half(blocks[82..]));
            for (var part = 0; part < 16; part++)
            {
                // Of 128 values parts 2s and 2s + 1 have bits 2s and 2s + 1 of the same 32 bytes.
                var codes = blocks[(16 + 32 * (part / 8) + 16 * (part % 2))..];
                var shift = 2 * (part % 8 / 2);
                var (own, subtracted) = (scale * (blocks[part] & 0xf), minimum * (blocks[part] >> 4));
                for (var i = 0; i < 16; i++)
                    values[16 * part + i] = own * (codes[i] >> shift & 3) - subtracted;
            }
        }
    }

    /// <summary>Q3_K: the codes' third bits (a 0 subtracts 4), their lower two bits, scales of 6 bits for 16 parts, a number.</summary>
    public static void DecodeQ3K(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[110..], values = values[Length..])
        {
            var scales = blocks.Slice(96, 12);
            var scale = RoundedBlocks.Half(blocks[108..]);
            for (var part = 0; part < 16; part++)
            {
                var lower = part < 8 ? scales[part] & 0xf : scales[part - 8] >> 4;
                var own = scale * ((lower | (scales[8 + part % 4] >> 2 * (part / 4) & 3) << 4) - 32);
                var third = blocks[(16 * (part % 2))..];
                var codes = blocks[(32 + 32 * (part / 8) + 16 * (part % 2))..];
                var (bit, shift) = (part / 2, 2 * (part % 8 / 2));
                for (var i = 0; i < 16; i++)
                    values[16 * part + i] = own * ((codes[i] >> shift & 3) - (1 - (third[i] >> bit & 1)) * 4);
            }
        }
    }

    /// <summary>Q4_K: two numbers, scales and minima of 6 bits for 8 parts, codes of 4 bits.</summary>
    public static void DecodeQ4K(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[144..], values = values[Length..])
            DecodeWithMinima(blocks, default, blocks[16..], values);
    }

    /// <summary>Q5_K: as Q4_K, with the codes' fifth bits before them: bit p of a byte for part p.</summary>
    public static void DecodeQ5K(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[176..], values = values[Length..])
            DecodeWithMinima(blocks, blocks.Slice(16, 32), blocks[48..], values);
    }

    /// <summary>Q6_K: lower four bits, upper two bits, scales of 8 bits for 16 parts, a number.</summary>
    public static void DecodeQ6K(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[210..], values = values[Length..])
        {
            var scale = RoundedBlocks.Half(blocks[208..]);
            for (var place = 0; place < Length; place++)
            {
                // Of 128 values the first 64 have the lower halves of 64 bytes, the others the upper halves; upper bits go by quarters.
                var (half, within) = (place / Half, place % Half);
                var (quarter, column) = (within / 32, within % 32);
                var lower = blocks[64 * half + within % 64] >> 4 * (within / 64) & 0xf;
                var upper = blocks[128 + 32 * half + column] >> 2 * quarter & 3;
                values[place] = scale * (sbyte)blocks[192 + place / 16] * ((lower | upper << 4) - 32);
            }
        }
    }

    private static void DecodeWithMinima(ReadOnlySpan<byte> block, ReadOnlySpan<byte> fifth, ReadOnlySpan<byte> codes, Span<float> values)
    {
        var (scale, minimum) = (RoundedBlocks.Half(block), RoundedBlocks.Half(block[2..]));
        var packed = block.Slice(4, 12);
        for (var part = 0; part < 8; part++)
        {
            // Six bits each: of the first four parts in bytes of their own, whose upper two bits belong to the last four.
            var (own, subtracted) = part < 4
                ? (packed[part] & 63, packed[part + 4] & 63)
                : (packed[part + 4] & 0xf | packed[part - 4] >> 6 << 4, packed[part + 4] >> 4 | packed[part] >> 6 << 4);
            var (partScale, partMinimum) = (scale * own, minimum * subtracted);
            for (var i = 0; i < 32; i++)
            {
                var code = codes[32 * (part / 2) + i] >> 4 * (part % 2) & 0xf;
                if (fifth.Length > 0)
                    code |= (fifth[i] >> part & 1) << 4;
                values[32 * part + i] = partScale * code - partMinimum;
            }
        }
    }
}
