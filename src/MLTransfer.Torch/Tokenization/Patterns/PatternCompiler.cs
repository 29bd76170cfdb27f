using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization.Patterns;

/// <summary>Turns a regular expression into instructions for <see cref="PatternMatcher"/>.</summary>
internal sealed class PatternCompiler
{
    private const int MaximumInstructions = 50_000;
    private const int MaximumBeforeReference = 64;
    private const int MaximumForks = 8;

    private readonly string _pattern;
    private readonly List<Instruction> _instructions = [];
    private readonly Dictionary<int, int> _groupRegisters = []; // of the groups that are referred to
    private int _registers;

    private PatternCompiler(string pattern) => _pattern = pattern;

    public static PatternProgram Compile(string pattern)
    {
        PatternNode node = PatternParser.Parse(pattern);
        var compiler = new PatternCompiler(pattern);
        compiler.FindReferences(node);
        compiler.Add(node);
        compiler.Emit(new Instruction(Operation.Accept));

        bool[] dependsOnText = compiler.FindDependent();
        int remembered = 0;
        for (int i = 0; i < dependsOnText.Length; i++)
        {
            Instruction instruction = compiler._instructions[i];
            if (!dependsOnText[i]
                && instruction.Operation is Operation.Fork or Operation.LazyFork or Operation.Run or Operation.Look or Operation.Atomic)
                instruction.Memory = remembered++;
        }

        return new PatternProgram([.. compiler._instructions], compiler._registers, remembered, FirstOf(node));
    }

    private void FindReferences(PatternNode node)
    {
        switch (node)
        {
            case PatternNode.BackReference reference when !_groupRegisters.ContainsKey(reference.Number):
                _groupRegisters.Add(reference.Number, _registers);
                _registers += 2;
                break;
            case PatternNode.Sequence sequence:
                foreach (PatternNode part in sequence.Parts)
                    FindReferences(part);
                break;
            case PatternNode.Choice choice:
                foreach (PatternNode option in choice.Options)
                    FindReferences(option);
                break;
            case PatternNode.Group group:
                FindReferences(group.Part);
                break;
            case PatternNode.Repeat repeat:
                FindReferences(repeat.Part);
                break;
            case PatternNode.Atomic atomic:
                FindReferences(atomic.Part);
                break;
            case PatternNode.Look look:
                FindReferences(look.Part);
                break;
        }
    }

    /// <summary>
    /// The instructions that a back reference may follow, so that what they do depends on what a group took. Nothing can be remembered of
    /// them, and so they must not repeat without end.
    /// </summary>
    private bool[] FindDependent()
    {
        bool[] dependent = new bool[_instructions.Count];
        bool changes = _groupRegisters.Count > 0;
        while (changes)
        {
            changes = false;
            for (int i = dependent.Length - 1; i >= 0; i--)
            {
                if (dependent[i])
                    continue;
                Instruction instruction = _instructions[i];
                bool goesOn = instruction.Operation is not (Operation.Accept or Operation.Jump);
                bool jumps = instruction.Operation is Operation.Jump or Operation.Fork or Operation.LazyFork or Operation.RepeatLoop
                    or Operation.Look or Operation.Atomic;
                dependent[i] = instruction.Operation == Operation.BackReference || goesOn && dependent[i + 1]
                    || jumps && dependent[instruction.Target];
                changes |= dependent[i];
            }
        }

        IEnumerable<Instruction> those = _instructions.Where((_, i) => dependent[i]);
        if (those.Any(instruction => instruction.Operation == Operation.RepeatLoop
            || instruction.Operation is Operation.Run or Operation.PossessiveRun && instruction.Maximum > MaximumBeforeReference)
            || those.Count(instruction => instruction.Operation is Operation.Fork or Operation.LazyFork or Operation.Run) > MaximumForks)
        {
            throw new NotSupportedException(
                $"The regular expression '{_pattern}' has a back reference after repeats or choices that are too many, which is not " +
                "supported: its time could not be bounded.");
        }

        return dependent;
    }

    private void Add(PatternNode node)
    {
        switch (node)
        {
            case PatternNode.Group group when _groupRegisters.TryGetValue(group.Number, out int register):
                Emit(new Instruction(Operation.Keep) { Register = register });
                Add(group.Part);
                Emit(new Instruction(Operation.Keep) { Register = register + 1 });
                break;
            case PatternNode.Group group:
                Add(group.Part);
                break;
            case PatternNode.BackReference reference:
                Emit(new Instruction(Operation.BackReference) { Register = _groupRegisters[reference.Number] });
                break;
            case PatternNode.Character character:
                Emit(new Instruction(Operation.Character) { Set = character.Set });
                break;
            case PatternNode.Place place:
                Emit(new Instruction(Operation.Place) { Place = place.Kind });
                break;
            case PatternNode.Sequence sequence:
                foreach (PatternNode part in sequence.Parts)
                    Add(part);
                break;
            case PatternNode.Choice choice:
                AddChoice(choice, 0);
                break;
            case PatternNode.Repeat repeat:
                AddRepeat(repeat);
                break;
            case PatternNode.Atomic { Part: PatternNode.Repeat { Part: PatternNode.Character taken, IsLazy: false } run }:
                AddRun(Operation.PossessiveRun, taken, run);
                break;
            case PatternNode.Atomic atomic:
                AddInner(new Instruction(Operation.Atomic), atomic.Part);
                break;
            case PatternNode.Look look:
                AddLook(look);
                break;
        }
    }

    private void AddChoice(PatternNode.Choice choice, int index)
    {
        if (index == choice.Options.Length - 1)
        {
            Add(choice.Options[index]);
            return;
        }

        CodePointSet?[] others = [.. choice.Options.Skip(index + 1).Select(FirstOf)];
        Instruction fork = Emit(new Instruction(Operation.Fork)
        {
            First = FirstOf(choice.Options[index]),
            OtherFirst = others.Contains(null) ? null : others.Aggregate((left, right) => left!.Union(right!)),
        });
        Add(choice.Options[index]);
        Instruction jump = Emit(new Instruction(Operation.Jump));
        fork.Target = _instructions.Count;
        AddChoice(choice, index + 1);
        jump.Target = _instructions.Count;
    }

    private void AddRepeat(PatternNode.Repeat repeat)
    {
        if (repeat is { Part: PatternNode.Group { Part: PatternNode.Character inner } single }
            && !_groupRegisters.ContainsKey(single.Number))
            repeat = repeat with { Part = inner };
        if (repeat is { Part: PatternNode.Character character, IsLazy: false })
        {
            AddRun(Operation.Run, character, repeat);
            return;
        }

        for (int i = 0; i < repeat.Minimum; i++)
            Add(repeat.Part);
        if (repeat.Maximum is int maximum)
        {
            var forks = new List<Instruction>();
            for (int i = repeat.Minimum; i < maximum; i++)
            {
                forks.Add(AddFork(repeat));
                Add(repeat.Part);
            }

            forks.ForEach(fork => fork.Target = _instructions.Count);
            return;
        }

        int register = _registers++;
        int start = _instructions.Count;
        Instruction loop = AddFork(repeat);
        Emit(new Instruction(Operation.EnterLoop) { Register = register });
        Add(repeat.Part);
        Emit(new Instruction(Operation.RepeatLoop) { Register = register, Target = start });
        loop.Target = _instructions.Count;
    }

    private Instruction AddFork(PatternNode.Repeat repeat) => Emit(repeat.IsLazy
        ? new Instruction(Operation.LazyFork) { OtherFirst = FirstOf(repeat.Part) }
        : new Instruction(Operation.Fork) { First = FirstOf(repeat.Part) });

    private void AddRun(Operation operation, PatternNode.Character character, PatternNode.Repeat repeat) =>
        Emit(new Instruction(operation)
        {
            Set = character.Set,
            Minimum = repeat.Minimum,
            Maximum = repeat.Maximum ?? int.MaxValue,
        });

    private void AddLook(PatternNode.Look look)
    {
        if (!look.IsBehind)
        {
            if (look.Part is PatternNode.Character next)
                Emit(new Instruction(Operation.LookAtNext) { Set = next.Set, IsNegative = look.IsNegative });
            else
                AddInner(new Instruction(Operation.Look) { IsNegative = look.IsNegative }, look.Part);
            return;
        }

        // Each way may have a length of its own, and is looked for that far back.
        PatternNode[] options = look.Part is PatternNode.Choice choice ? [.. choice.Options] : [look.Part];
        if (look.IsNegative || options.Length == 1)
        {
            // None of them may match; of one alone this is the same.
            foreach (PatternNode option in options)
                AddInner(new Instruction(Operation.Look) { IsNegative = look.IsNegative, Back = FixedLength(option) }, option);
            return;
        }

        var jumps = new List<Instruction>();
        for (int i = 0; i < options.Length; i++)
        {
            Instruction? fork = i < options.Length - 1 ? Emit(new Instruction(Operation.Fork)) : null;
            AddInner(new Instruction(Operation.Look) { Back = FixedLength(options[i]) }, options[i]);
            jumps.Add(Emit(new Instruction(Operation.Jump)));
            if (fork is not null)
                fork.Target = _instructions.Count;
        }

        jumps.ForEach(jump => jump.Target = _instructions.Count);
    }

    private void AddInner(Instruction instruction, PatternNode part)
    {
        Emit(instruction);
        Add(part);
        Emit(new Instruction(Operation.Accept));
        instruction.Target = _instructions.Count;
    }

    private Instruction Emit(Instruction instruction)
    {
        if (_instructions.Count == MaximumInstructions)
            throw new NotSupportedException($"The regular expression '{_pattern}' is too large: its repeats make too many steps.");
        _instructions.Add(instruction);
        return instruction;
    }

    private int FixedLength(PatternNode node) => node switch
    {
        PatternNode.Character => 1,
        PatternNode.Place or PatternNode.Look => 0,
        PatternNode.Atomic atomic => FixedLength(atomic.Part),
        PatternNode.Group group => FixedLength(group.Part),
        PatternNode.Sequence sequence => sequence.Parts.Sum(FixedLength),
        PatternNode.Repeat repeat when repeat.Minimum == repeat.Maximum => checked(repeat.Minimum * FixedLength(repeat.Part)),
        PatternNode.Choice choice when choice.Options.Select(FixedLength).Distinct().Count() == 1 => FixedLength(choice.Options[0]),
        _ => throw new NotSupportedException(
            $"The regular expression '{_pattern}' looks back at a part of no fixed length, which is not supported."),
    };

    /// <summary>The characters that a match can begin with, or null where it may be empty.</summary>
    private static CodePointSet? FirstOf(PatternNode node)
    {
        (CodePointSet set, bool canBeEmpty) = Begin(node);
        return canBeEmpty ? null : set;
    }

    private static (CodePointSet Set, bool CanBeEmpty) Begin(PatternNode node)
    {
        switch (node)
        {
            case PatternNode.Character character:
                return (character.Set, false);
            case PatternNode.Atomic atomic:
                return Begin(atomic.Part);
            case PatternNode.Group group:
                return Begin(group.Part);
            case PatternNode.BackReference:
                return (CodePointSet.All, true);
            case PatternNode.Repeat { Maximum: 0 }:
                return (CodePointSet.Empty, true);
            case PatternNode.Repeat repeat:
                (CodePointSet part, bool isEmpty) = Begin(repeat.Part);
                return (part, isEmpty || repeat.Minimum == 0);
            case PatternNode.Choice choice:
                var options = choice.Options.Select(Begin).ToArray();
                return (options.Aggregate(CodePointSet.Empty, (set, option) => set.Union(option.Set)),
                    options.Any(option => option.CanBeEmpty));
            case PatternNode.Sequence sequence:
                CodePointSet begin = CodePointSet.Empty;
                foreach (PatternNode member in sequence.Parts)
                {
                    (CodePointSet set, bool canBeEmpty) = Begin(member);
                    begin = begin.Union(set);
                    if (!canBeEmpty)
                        return (begin, false);
                }

                return (begin, true);
            default:
                return (CodePointSet.Empty, true);
        }
    }
}
