namespace MLTransfer.Tests.LlamaProcess;

/// <summary>A file and what is done with it.</summary>
/// <param name="File">The GGUF file.</param>
/// <param name="Adapter">That of adapters; null for none.</param>
/// <param name="Prompts">Token ids that are continued greedily.</param>
/// <param name="Count">How many tokens are written.</param>
/// <param name="Texts">Texts that are made token ids of, with the tokens that the file puts around them.</param>
/// <param name="Context">The positions of the cache.</param>
internal sealed record Job(string File, string? Adapter, int[][] Prompts, int Count, string[] Texts, uint Context);

/// <summary>What came of it.</summary>
/// <param name="Continuations">For each prompt the tokens.</param>
/// <param name="Logits">For each prompt the logits of its first new token.</param>
/// <param name="Tokens">For each text its token ids.</param>
/// <param name="Error">What went wrong; null for nothing.</param>
internal sealed record Answer(int[][] Continuations, float[][] Logits, int[][] Tokens, string? Error = null);
