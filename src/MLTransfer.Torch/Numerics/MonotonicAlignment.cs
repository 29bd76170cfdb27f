namespace MLTransfer.Torch.Numerics;

/// <summary>
/// Monotonic alignment search (arXiv 2005.11129; arXiv 2106.06103, section 2.2.1): the path of greatest sum through a table of frames and
/// tokens.
/// </summary>
internal static class MonotonicAlignment
{
    /// <summary>
    /// Finds the path: the first frame is on the first token, the last on the last, and each is on the token of the frame before or on the
    /// next one. Of paths of the same sum, one that stays on later tokens for longer. It takes frames x tokens steps.
    /// </summary>
    /// <param name="scores">[frames, stride], of which the first tokens of each row count.</param>
    /// <param name="stride">Numbers from a frame to the next.</param>
    /// <param name="tokens">1 to <paramref name="stride"/>.</param>
    /// <param name="path">The token of each frame: [frames].</param>
    /// <exception cref="ArgumentException">There are fewer frames than tokens, so that there is no path.</exception>
    public static void Find(ReadOnlySpan<float> scores, int stride, int tokens, Span<int> path)
    {
        var frames = path.Length;
        if (frames < tokens || tokens < 1)
            throw new ArgumentException($"There is no path of {frames} frames through {tokens} tokens.", nameof(path));
        var sums = new float[tokens]; // the greatest sums of paths that end on a token
        var steps = new bool[frames * tokens]; // whether the path comes from the token before
        Array.Fill(sums, float.NegativeInfinity);
        sums[0] = scores[0];
        for (var frame = 1; frame < frames; frame++)
        {
            var row = scores.Slice(frame * stride, tokens);
            var taken = steps.AsSpan(frame * tokens, tokens);
            for (var token = Math.Min(frame, tokens - 1); token > 0; token--) // downwards: the sums of the frame before are still there
            {
                taken[token] = token == frame || sums[token] < sums[token - 1];
                sums[token] = row[token] + (taken[token] ? sums[token - 1] : sums[token]);
            }

            sums[0] += row[0];
        }

        var current = tokens - 1;
        for (var frame = frames - 1; frame >= 0; frame--)
        {
            path[frame] = current;
            if (steps[frame * tokens + current])
                current--;
        }
    }
}
