// A worker in Motoko that knows nothing of any fleet: it says how loaded it is when asked.
persistent actor {
  var jobs : Nat64 = 0;

  public query func load() : async Nat64 { jobs };

  public func take(more : Nat64) : async () { jobs += more };

  public func finish() : async () { jobs := 0 };
};
