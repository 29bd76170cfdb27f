using System.Text;
using LLama;
using LLama.Common;
using LLama.Native;

namespace MLTransfer.Tests.LlamaProcess;

/// <summary>Continues prompts with float32 weights and cache, one sequence at a time, and tokenizes texts.</summary>
internal static class LlamaRun
{
    public static Answer Do(Job job)
    {
        var parameters = new ModelParams(job.File)
        {
            ContextSize = job.Context, GpuLayerCount = 0, Threads = 1, BatchThreads = 1, FlashAttention = false,
            TypeK = GGMLType.GGML_TYPE_F32, TypeV = GGMLType.GGML_TYPE_F32,
        };
        using var weights = LLamaWeights.LoadFromFile(parameters);
        var (continuations, logits) = (new List<int[]>(), new List<float[]>());
        foreach (var prompt in job.Prompts)
        {
            using var context = weights.CreateContext(parameters);
            if (job.Adapter is not null)
                context.NativeHandle.SetLoraAdapters([(weights.NativeHandle.LoadLoraFromFile(job.Adapter), 1f)]);
            var (tokens, first) = Continue(context.NativeHandle, weights.NativeHandle, prompt, job.Count);
            continuations.Add(tokens);
            logits.Add(first);
        }

        return new([.. continuations], [.. logits], [.. job.Texts.Select(text =>
            weights.Tokenize(text, true, true, Encoding.UTF8).Select(token => (int)token).ToArray())]);
    }

    private static (int[] Tokens, float[] First) Continue(
        SafeLLamaContextHandle context, SafeLlamaModelHandle model, int[] prompt, int count)
    {
        var read = prompt;
        if (model.HasEncoder)
        {
            Require(context.Encode(BatchOf(prompt, 0)) == 0);
            read = [(int)model.Vocab.DecoderStartToken!.Value];
        }

        var (tokens, first, position) = (new List<int>(), (float[]?)null, 0);
        while (tokens.Count < count)
        {
            var batch = BatchOf(read, position);
            Require(context.Decode(batch) == DecodeResult.Ok);
            position += read.Length;
            var logits = context.GetLogitsIth(read.Length - 1).ToArray();
            first ??= logits;
            read = [Array.IndexOf(logits, logits.Max())];
            tokens.Add(read[0]);
        }

        return ([.. tokens], first!);
    }

    private static LLamaBatch BatchOf(int[] tokens, int position)
    {
        var batch = new LLamaBatch();
        for (var i = 0; i < tokens.Length; i++)
            batch.Add(tokens[i], position + i, LLamaSeqId.Zero, i == tokens.Length - 1);
        return batch;
    }

    private static void Require(bool holds)
    {
        if (!holds)
            throw new InvalidOperationException("llama.cpp computed nothing.");
    }
}
